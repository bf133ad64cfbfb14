//! Names whose answers change.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use hickory_proto::{
    op::{Message, MessageType, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata::CNAME},
};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use pairing_egress::{DnsResolver, Egress, EgressConfig, EgressError, is_public};
use tokio::net::UdpSocket;

use crate::peers::{Names, PUBLIC, Script, answer_once, fetch, permit};

const URL: &str = "http://api.example.com/hook";

/// What the resolver says the n-th time.
fn answer(number: usize) -> Vec<IpAddr> {
    let address = |text: &str| -> IpAddr { text.parse().unwrap() };
    let public =
        [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "1.1.1.1", "2a00::1"].map(address);
    let private =
        ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"].map(address);
    let (good, bad) = (public[number / 7 % 4], private[number / 7 % 5]);
    match number % 7 {
        0 => vec![good],
        1 => vec![bad],
        2 => vec![good, bad],
        3 => vec![bad, good],
        4 => public.to_vec(),
        5 => [public.to_vec(), vec![bad]].concat(),
        _ => vec![],
    }
}

#[tokio::test]
async fn only_judged_addresses_are_dialled_however_answers_change() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let names = Arc::new(Names(move |name: &str| {
        assert_eq!(name, "api.example.com");
        Ok(answer(counter.fetch_add(1, Ordering::SeqCst)))
    }));
    let script = Script::new(answer_once);
    let egress = Egress::with_network(EgressConfig::default(), names, script.clone()).unwrap();
    let permit = permit(&egress, &[URL]);
    for number in 0..10_000 {
        let outcome = fetch(&egress, &permit, URL).await;
        assert_eq!(asked.load(Ordering::SeqCst), number + 1, "looked up once");
        let (said, dialled) = (answer(number), script.forget());
        if said.is_empty() {
            assert_eq!(outcome, Err(EgressError::Dns));
            assert_eq!(dialled, []);
        } else if said.iter().all(|address| is_public(*address)) {
            assert_eq!(outcome.unwrap().0, 200);
            assert_eq!(dialled, [(said[0], 80).into()]);
        } else {
            assert_eq!(outcome, Err(EgressError::Denied));
            assert_eq!(dialled, []);
        }
    }
}

/// A name server whose answer, by way of an alias, is another one each time, and
/// must not be remembered.
async fn name_server(answers: &'static [Ipv4Addr]) -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let given = Mutex::new(answers.iter().cycle());
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let asked = Message::from_vec(&buffer[..length]).unwrap();
            let reply = reply(&asked, || *given.lock().unwrap().next().unwrap());
            socket.send_to(&reply.to_vec().unwrap(), from).await.unwrap();
        }
    });
    port
}

fn reply(asked: &Message, next: impl Fn() -> Ipv4Addr) -> Message {
    let mut reply = Message::response(asked.id, asked.op_code);
    reply.metadata.message_type = MessageType::Response;
    reply.metadata.response_code = ResponseCode::NoError;
    let question = asked.queries[0].clone();
    let alias = Name::from_ascii("alias.example.net.").unwrap();
    if question.query_type() == RecordType::A {
        let cname = RData::CNAME(CNAME(alias.clone()));
        reply.add_answer(Record::from_rdata(question.name().clone(), 0, cname));
        reply.add_answer(Record::from_rdata(alias, 0, RData::A(next().into())));
    }
    reply.add_query(question);
    reply
}

#[tokio::test]
async fn an_alias_that_turns_private_is_refused_by_the_real_resolver() {
    const ANSWERS: &[Ipv4Addr] = &[
        Ipv4Addr::new(93, 184, 215, 14),
        Ipv4Addr::new(127, 0, 0, 1),
        Ipv4Addr::new(1, 1, 1, 1),
        Ipv4Addr::new(10, 0, 0, 1),
    ];
    let mut udp = ConnectionConfig::udp();
    udp.port = name_server(ANSWERS).await;
    let server = NameServerConfig::new(Ipv4Addr::LOCALHOST.into(), true, vec![udp]);
    let config = ResolverConfig::from_parts(None, vec![], vec![server]);
    let resolver = Arc::new(DnsResolver::new(config, ResolverOpts::default()).unwrap());
    let script = Script::new(answer_once);
    let egress = Egress::with_network(EgressConfig::default(), resolver, script.clone()).unwrap();
    let permit = permit(&egress, &[URL]);
    for round in 0..20 {
        let outcome = fetch(&egress, &permit, URL).await;
        let said = ANSWERS[round % ANSWERS.len()];
        if is_public(said.into()) {
            assert_eq!(outcome.unwrap().0, 200);
            assert_eq!(script.forget(), [(said, 80).into()]);
        } else {
            assert_eq!(outcome, Err(EgressError::Denied));
            assert_eq!(script.forget(), []);
        }
    }
}
