//! Named limits: what a refusal says, and that normal use never meets one.

use std::time::Duration;

use futures::future::join_all;
use pairing_api::CodeBudgets;
use pairing_core::workflow::{CodeFailure, CodeFailureKind};
use pairing_tests::TestApi;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::socket::Socket;

#[tokio::test]
async fn answers_tell_what_is_left() {
    let host = TestApi::start().await;
    let left = async |path: &str| {
        let response = host.request(Method::GET, path).send().await.unwrap();
        let policy = response.headers()["ratelimit-policy"].to_str().unwrap().to_owned();
        let limit = response.headers()["ratelimit"].to_str().unwrap().to_owned();
        let left =
            limit.split(';').find_map(|part| part.strip_prefix("r=")).unwrap().parse::<u32>();
        (policy, left.unwrap())
    };
    let (policy, first) = left("/whatsapp/sessions").await;
    assert_eq!(policy, "\"read\";q=3000;w=60");
    for path in ["/whatsapp/status/one", "/whatsapp/events", "/plugins", "/auth/me", "/metrics"] {
        assert!(left(path).await.1 <= first, "{path}");
    }
}

#[tokio::test]
async fn a_front_end_that_polls_ten_sessions_every_second_is_never_refused() {
    let host = TestApi::start().await;
    for _ in 0..60 {
        for session in 0..10 {
            let (status, _) = host.get(&format!("/whatsapp/status/s{session}")).await;
            assert_eq!(status, 200);
        }
    }
}

/// Asks for a code, for a page that refuses to make any.
async fn ask_for_code(host: &TestApi, session: &str, number: &str, subject: &str) -> Response {
    let request = host
        .anonymous(Method::POST, &format!("/whatsapp/pair/{session}"))
        .bearer_auth(host.token(json!({ "sub": subject })))
        .json(&json!({ "phoneNumber": number }));
    request.send().await.unwrap()
}

async fn pages_that_make_no_codes(host: &TestApi, sessions: &[&str]) {
    for session in sessions {
        let name = host.init_with_qr(session, "2@secret").await;
        host.engine.answer_code(&name, Err(refused()));
    }
}

#[tokio::test]
async fn codes_for_one_number_are_limited_whoever_asks_in_whatever_form_for_whatever_session() {
    let host = TestApi::start().await;
    pages_that_make_no_codes(&host, &["one", "two"]).await;
    for (session, form) in
        [("one", "5511999990001"), ("two", "551199990001"), ("one", "+55 (11) 99999-0001")]
    {
        let answer = ask_for_code(&host, session, form, &format!("for-{form}")).await;
        assert_eq!(answer.status(), 502, "{form}");
    }
    host.clock.advance(Duration::from_secs(10));
    let answer = ask_for_code(&host, "two", "5511999990001", "another").await;
    assert_eq!(answer.status(), 429);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("retry-after"), "3590");
    assert_eq!(header("ratelimit"), "\"pair-number\";r=0;t=3590");
    assert_eq!(header("ratelimit-policy"), "\"pair-number\";q=3;w=3600");
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["code"], &body["retryAfter"]), (&json!("rate_limited"), &json!(3590)));
    assert!(body["message"].as_str().unwrap().contains("pair-number"), "{body}");
    let other = ask_for_code(&host, "two", "5511999990002", "another").await;
    assert_eq!(other.status(), 502, "another number");
}

#[tokio::test]
async fn codes_are_limited_by_caller_session_and_host_even_where_limits_are_off() {
    let budgets = CodeBudgets { per_number: 9, per_caller: 2, per_session: 3, per_host: 4 };
    let host = TestApi::with(|config| {
        config.codes = budgets;
        config.rate_limits = false;
    })
    .await;
    pages_that_make_no_codes(&host, &["one", "two"]).await;
    let mut number = 5_511_999_990_000_u64;
    for (session, caller, budget) in [
        ("one", "ana", ""),
        ("one", "ana", ""),
        ("two", "ana", "pair-caller"),
        ("one", "bea", ""),
        ("one", "bea", "pair-session"),
        ("two", "bea", ""),
        ("two", "cleo", "pair-host"),
    ] {
        number += 1;
        let answer = ask_for_code(&host, session, &number.to_string(), caller).await;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        let expected = if budget.is_empty() { 502 } else { 429 };
        assert_eq!(status, expected, "{session} {caller}: {body}");
        assert!(body["message"].as_str().unwrap().contains(budget), "{body}");
    }
}

fn refused() -> CodeFailure {
    CodeFailure { kind: CodeFailureKind::Refused, message: "the page said no".into() }
}

#[tokio::test]
async fn a_code_that_the_page_was_never_asked_for_costs_nothing_of_the_budget() {
    let host = TestApi::start().await;
    let name = host.init("one").await;
    let phone = json!({ "phoneNumber": "5511999990001" });
    for _ in 0..15 {
        assert_eq!(host.post("/whatsapp/pair/one", phone.clone()).await.0, 409);
    }
    host.engine.show_qr(&name, "2@secret", true).await;
    host.until_status("one", "QR_READY").await;
    host.engine.answer_code(&name, Ok("ABCD2345"));
    let request = host.request(Method::POST, "/whatsapp/pair/one").json(&phone);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["ratelimit"], "\"pair-number\";r=2;t=3600");
}

#[tokio::test]
async fn guessing_tokens_is_limited_by_address_and_harms_no_good_token() {
    let host = TestApi::start().await;
    let guess = async |address: &str| {
        let request = host
            .anonymous(Method::GET, "/whatsapp/sessions")
            .header("x-forwarded-for", address)
            .bearer_auth("guess");
        request.send().await.unwrap().status().as_u16()
    };
    // A few come back while the test runs.
    let mut refused = 0;
    for _ in 0..700 {
        refused += usize::from(guess("198.51.100.1").await == 429);
    }
    assert!((1..=100).contains(&refused), "{refused}");
    assert_eq!(guess("198.51.100.2").await, 401, "another address");
    let good =
        host.request(Method::GET, "/whatsapp/sessions").header("x-forwarded-for", "198.51.100.1");
    assert_eq!(good.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn guessing_at_sockets_is_limited_as_any_other_and_harms_no_good_token() {
    let host = TestApi::start().await;
    let open = async |address: &str, name: &'static str, value: &str| {
        Socket::refused(&host, &[("x-forwarded-for", address), (name, value)]).await
    };
    let guesses = [
        ("198.51.100.1", "authorization", "Bearer guess"),
        ("198.51.100.2", "sec-websocket-protocol", "pairing.v1, ticket.guess"),
    ];
    for (address, name, value) in guesses {
        // A few come back while the test runs.
        let mut refused = 0;
        for _ in 0..700 {
            refused += usize::from(open(address, name, value).await == 429);
        }
        assert!((1..=100).contains(&refused), "{name}: {refused}");
        assert_eq!(open("198.51.100.3", name, value).await, 401, "another address");
        let good = format!("Bearer {}", host.token(json!({})));
        assert_eq!(open(address, "authorization", &good).await, 101);
    }

    // A first frame is answered by a close, so another door tells that it counted.
    let guess_in_a_frame = async || {
        let mut socket = Socket::open(&host, &[("x-forwarded-for", "198.51.100.4")]).await;
        socket.say(json!({ "type": "auth", "token": "guess" })).await;
        assert_eq!(socket.closed().await.0, 4001);
    };
    for _ in 0..13 {
        join_all((0..50).map(|_| guess_in_a_frame())).await;
    }
    let mut refused = 0;
    for _ in 0..150 {
        let status = open("198.51.100.4", "authorization", "Bearer guess").await;
        refused += usize::from(status == 429);
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn without_limits_reading_is_free_and_sign_ins_are_not() {
    let host = TestApi::with(|config| config.rate_limits = false).await;
    let response = host.request(Method::GET, "/whatsapp/sessions").send().await.unwrap();
    assert!(!response.headers().contains_key("ratelimit"));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let body = json!({ "username": "ana", "password": "wrong" });
        let request = host.anonymous(Method::POST, "/auth/login").json(&body);
        statuses.push(request.send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 429]);
}
