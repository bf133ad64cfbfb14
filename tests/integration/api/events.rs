//! The journal: pages, and the same as a stream.

use pairing_tests::TestApi;
use reqwest::{Method, Response};
use serde_json::{Value, json};

#[tokio::test]
async fn pages_hold_every_event_once_in_order_and_no_live_code() {
    let host = TestApi::start().await;
    let name = host.linked("one", "5511999990001").await;
    host.engine.answer_code(&name, Ok("ABCD2345"));
    let second = host.init_with_qr("two", "2@a-live-secret").await;
    host.engine.answer_code(&second, Ok("WXYZ6789"));
    host.post("/whatsapp/pair/two", json!({ "phoneNumber": "5511999990002" })).await;

    let (status, all) = host.get("/whatsapp/events").await;
    assert_eq!((status.as_u16(), &all["next"]), (200, &Value::Null));
    let all = all["events"].as_array().unwrap().clone();
    let ids: Vec<u64> =
        all.iter().map(|one| one["id"].as_str().unwrap().parse().unwrap()).collect();
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:?}");
    for event in &all {
        for member in ["sessionName", "at", "type", "data"] {
            assert!(!event[member].is_null(), "{member} in {event}");
        }
    }
    let kinds: Vec<&str> = all.iter().map(|one| one["type"].as_str().unwrap()).collect();
    for kind in ["status-update", "qr-code", "session-connected", "pairing-code"] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    let text = format!("{all:?}");
    for secret in ["2@a-live-secret", "WXYZ6789", "data:image"] {
        assert!(!text.contains(secret), "{secret} in the journal");
    }

    let mut pages = Vec::new();
    let mut after = String::new();
    loop {
        let (_, page) = host.get(&format!("/whatsapp/events?limit=2{after}")).await;
        pages.extend(page["events"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(pages, all);
    let (_, some) = host.get("/whatsapp/events?sessions=two&types=pairing-code,qr-code").await;
    let some = some["events"].as_array().unwrap();
    assert!(some.len() >= 2 && some.iter().all(|one| one["sessionName"] == "two"), "{some:?}");
    let (_, none) = host.get(&format!("/whatsapp/events?after={}", ids.last().unwrap())).await;
    assert_eq!(none, json!({ "events": [], "next": null }));
}

/// Server-sent events, one by one.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(host: &TestApi, path: &str, last: Option<&str>) -> Self {
        let mut request = host.request(Method::GET, path).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// Id, name and data of the next event.
    async fn next(&mut self) -> (Option<String>, String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(|value| value.trim().to_owned())
                };
                let found = (field("id:"), field("event:"), field("data:"));
                self.text = rest.to_owned();
                if let (id, Some(name), Some(data)) = found {
                    return (id, name, serde_json::from_str(&data).unwrap());
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn until(&mut self, kind: &str) -> (Option<String>, Value) {
        loop {
            let (id, name, data) = self.next().await;
            if name == kind {
                return (id, data);
            }
        }
    }
}

#[tokio::test]
async fn a_stream_brings_codes_live_and_resumes_where_it_was_cut_off() {
    let host = TestApi::start().await;
    let mut stream = Stream::open(&host, "/whatsapp/events", None).await;
    let name = host.init_with_qr("one", "2@secret").await;
    let (id, event) = stream.until("status-update").await;
    assert_eq!(event["data"]["status"], "CONNECTING");
    let (_, event) = stream.until("qr-code").await;
    assert!(event["data"]["qrCode"].as_str().unwrap().starts_with("data:image/png"), "{event}");
    drop(stream);

    host.engine.report(&name, pairing_core::workflow::EngineReport::Authenticated).await;
    host.until_status("one", "AUTHENTICATED").await;
    let mut stream = Stream::open(&host, "/whatsapp/events?after=0", id.as_deref()).await;
    let mut statuses = Vec::new();
    while statuses.last() != Some(&json!("AUTHENTICATED")) {
        let (next, event) = stream.until("status-update").await;
        assert!(next.is_some_and(
            |next| next.parse::<u64>().unwrap() > id.as_ref().unwrap().parse().unwrap()
        ));
        statuses.push(event["data"]["status"].clone());
    }
    assert!(statuses.contains(&json!("QR_READY")), "{statuses:?}");
    let mut after = Stream::open(&host, "/whatsapp/events?after=0&types=status-update", None).await;
    assert_eq!(after.next().await.0.as_deref(), id.as_deref().or(Some("1")).map(|_| "1"));
}

#[tokio::test]
async fn a_stream_ends_when_the_host_stops() {
    let mut host = TestApi::start().await;
    let mut stream = Stream::open(&host, "/whatsapp/events", None).await;
    let rest = async { while let Ok(Some(_)) = stream.response.chunk().await {} };
    tokio::join!(rest, host.stop());
}
