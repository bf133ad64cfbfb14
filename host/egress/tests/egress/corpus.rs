//! Every spelling of places that nobody granted; none is ever connected to.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use http::{Request, Uri};
use http_body_util::Full;
use pairing_egress::{Dial, Egress, EgressConfig, EgressError, Stream, TcpDialer, is_public};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::peers::{Names, PUBLIC, all_lead_to, fetch, permit, read_head, send};

/// Hosts, and what some parsers take for hosts; each is put into
/// `http://HOST:PORT/` where PORT has real listeners.
const HOSTS: &[&str] = &[
    // Loopback, in all the ways to write an IPv4 address.
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.2",
    "127.1.2.3",
    "2130706433",
    "0x7f000001",
    "0x7F.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "017700000001",
    "0177.0x0.0.1",
    "127.0.0.1.",
    "127.000.000.001",
    "00000127.0.0.1",
    "localhost",
    "LOCALHOST",
    "LocalHost.",
    "foo.localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "127.0.0.1.nip.io",
    "localtest.me",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127。0。0。1",
    "127.0.0.1",
    "①②⑦.⓪.⓪.①",
    "lºcalhost",
    "ⓛocalhost",
    // This host.
    "0",
    "0.0.0.0",
    "0.0.0.0.",
    "0.1.2.3",
    "[::]",
    "[0:0:0:0:0:0:0:0]",
    // Loopback in IPv6, and IPv4 inside IPv6.
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:127.0.0.2]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:1::1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[::ffff:0.0.0.0]",
    "[::ffff:169.254.169.254]",
    // Other networks that are nobody's business.
    "10.0.0.1",
    "0xa000001",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.1",
    "169.254.169.254",
    "2852039166",
    "169.254.170.2",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[5f00::1]",
    // Names of metadata services, and public places that were not granted either.
    "metadata.google.internal",
    "metadata",
    "instance-data",
    "example.com",
    "evil.test",
    "93.184.215.14",
    "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]",
    // Looks like the granted host, and is not.
    "api.example.com@127.0.0.1",
    "api.example.com:443@127.0.0.1",
    "api.example.com%40127.0.0.1",
    "@127.0.0.1",
    "127.0.0.1#@api.example.com",
    "127.0.0.1\\@api.example.com",
    "127.0.0.1?@api.example.com",
    "127.0.0.1/@api.example.com",
    "api.example.com.evil.test",
    "api.example.com..",
    "xapi.example.com",
    "api-example.com",
    "api.example.com%00.evil.test",
    "аpi.example.com",
    "*.example.com",
    "example.com.",
];

/// Whole URLs.
const URLS: &[&str] = &[
    "http://api.example.com/",
    "http://api.example.com:443/",
    "https://api.example.com:80/",
    "https://api.example.com:22/",
    "https://api.example.com:25/",
    "https://api.example.com:5432/",
    "https://api.example.com:4222/",
    "https://api.example.com:0/",
    "https://api.example.com:65536/",
    "https://api.example.com:65979/",
    "https://user@api.example.com/",
    "https://user:word@api.example.com/",
    "https://:@api.example.com/",
    "https://@api.example.com/",
    "ws://api.example.com/",
    "wss://api.example.com/",
    "ftp://api.example.com/",
    "gopher://127.0.0.1:PORT/_GET",
    "dict://127.0.0.1:PORT/",
    "ldap://127.0.0.1:PORT/",
    "file:///etc/passwd",
    "file://api.example.com/etc/passwd",
    "unix:///run/docker.sock",
    "unix:/run/docker.sock",
    "jar:http://127.0.0.1:PORT/!/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "blob:https://api.example.com/x",
    "//127.0.0.1:PORT/",
    "/",
    "*",
    "api.example.com",
    "api.example.com:443",
    "http:127.0.0.1:PORT",
    "http:///127.0.0.1:PORT/",
    "http:/\\127.0.0.1:PORT/",
    "http://[127.0.0.1]:PORT/",
    "http://::1:PORT/",
    "http://[::1:PORT/",
];

/// What a granted name may turn out to lead to.
const ANSWERS: &[&str] = &[
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.1.2.3",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.0",
    "127.0.0.1",
    "127.0.0.2",
    "127.1.2.3",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.192",
    "192.0.0.255",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "192.175.48.1",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.254",
    "255.255.255.255",
    "::",
    "::1",
    "::2",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:93.184.215.14",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::93.184.215.14",
    "64:ff9b:1::10.0.0.1",
    "100::1",
    "100:0:0:1::1",
    "1fff::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:1::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2620:4f:8000::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
];

/// Real connections, written down before they are made.
#[derive(Default)]
struct Noted(Mutex<Vec<SocketAddr>>);

#[async_trait]
impl Dial for Noted {
    async fn dial(&self, address: SocketAddr) -> std::io::Result<Box<dyn Stream>> {
        self.0.lock().unwrap().push(address);
        TcpDialer.dial(address).await
    }
}

/// Listens at one port of several loopback addresses and counts who comes.
async fn listeners() -> (u16, Arc<AtomicUsize>) {
    let accepted = Arc::new(AtomicUsize::new(0));
    let mut bound = Vec::new();
    'port: loop {
        let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = first.local_addr().unwrap().port();
        bound.clear();
        bound.push(first);
        for address in ["127.0.0.2", "127.1.2.3", "::1"] {
            let address = SocketAddr::new(address.parse().unwrap(), port);
            match TcpListener::bind(address).await {
                Ok(listener) => bound.push(listener),
                // Somebody else has that port there.
                Err(_) => continue 'port,
            }
        }
        for listener in bound {
            let accepted = accepted.clone();
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    accepted.fetch_add(1, Ordering::SeqCst);
                    if read_head(&mut stream).await.is_some() {
                        let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
                        let _ = stream.write_all(answer).await;
                    }
                }
            });
        }
        return (port, accepted);
    }
}

fn urls(port: u16) -> impl Iterator<Item = String> {
    let of_hosts = move |host: &&str| {
        [format!("http://{host}:{port}/"), format!("https://{host}/latest/meta-data")]
    };
    let whole = move |url: &&str| url.replace("PORT", &port.to_string());
    HOSTS.iter().flat_map(of_hosts).chain(URLS.iter().map(whole))
}

#[tokio::test]
async fn no_spelling_reaches_what_was_not_granted() {
    let (port, accepted) = listeners().await;
    let noted = Arc::new(Noted::default());
    let names = all_lead_to("127.0.0.1");
    let egress = Egress::with_network(EgressConfig::default(), names, noted.clone()).unwrap();
    let narrow = permit(&egress, &["https://api.example.com/"]);
    let mut sent = 0;
    for url in urls(port) {
        // What is no URI can't be asked for.
        let Ok(uri) = Uri::try_from(&url) else { continue };
        // Below: this is the granted place itself.
        if url == "https://api.example.com../latest/meta-data" {
            continue;
        }
        let request = Request::get(uri).body(Full::default()).unwrap();
        let refused = send(&egress, &narrow, request).await.unwrap_err();
        assert_eq!(refused, EgressError::Denied, "{url}");
        assert_eq!(refused.to_string(), "this destination is not granted", "{url}");
        sent += 1;
    }
    assert!(sent >= 160, "only {sent} were tried");
    assert_eq!(*noted.0.lock().unwrap(), []);
    assert_eq!(accepted.load(Ordering::SeqCst), 0);

    // The listeners are there indeed: each is reached by who may.
    let hosts = ["127.0.0.1", "127.0.0.2", "127.1.2.3", "[::1]", "localhost"];
    let granted: Vec<String> = hosts.iter().map(|host| format!("http://{host}:{port}/")).collect();
    let wide = permit(&egress, &granted.iter().map(String::as_str).collect::<Vec<_>>());
    for url in &granted {
        assert_eq!(fetch(&egress, &wide, url).await.unwrap().0, 200, "{url}");
    }
    assert_eq!(accepted.load(Ordering::SeqCst), hosts.len());
}

#[tokio::test]
async fn a_granted_name_may_lead_to_the_public_internet_only() {
    let (port, accepted) = listeners().await;
    let url = format!("http://api.example.com:{port}/");
    for answer in ANSWERS {
        let address: IpAddr = answer.parse().unwrap();
        let public: IpAddr = PUBLIC.parse().unwrap();
        assert!(!is_public(address), "{answer}");
        // Alone, after a good one, and before one.
        for addresses in [vec![address], vec![public, address], vec![address, public]] {
            let noted = Arc::new(Noted::default());
            let names = Arc::new(Names(move |_: &str| Ok(addresses.clone())));
            let config = EgressConfig::default();
            let egress = Egress::with_network(config, names, noted.clone()).unwrap();
            let refused = fetch(&egress, &permit(&egress, &[&url]), &url).await;
            assert_eq!(refused.unwrap_err(), EgressError::Denied, "{answer}");
            assert_eq!(*noted.0.lock().unwrap(), [], "{answer}");
        }
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_network_that_the_grant_names_is_reached() {
    let (port, accepted) = listeners().await;
    let url = format!("http://receiver.internal:{port}/");
    let egress = Egress::with_resolver(EgressConfig::default(), all_lead_to("127.0.0.2")).unwrap();
    let mut grant = crate::peers::grant(&url);
    grant.networks = vec!["127.0.0.2/32".parse().unwrap()];
    let named = crate::peers::permit_with(&egress, vec![grant.clone()], &[]);
    assert_eq!(fetch(&egress, &named, &url).await.unwrap().0, 200);
    grant.networks = vec!["127.0.0.0/31".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
    let others = crate::peers::permit_with(&egress, vec![grant], &[]);
    assert_eq!(fetch(&egress, &others, &url).await.unwrap_err(), EgressError::Denied);
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}
