//! F4, F6, F7: becoming the first admin, signing in, and renewing that.

use std::{collections::BTreeMap, time::Duration};

use futures::future::join_all;
use pairing_tests::{PASSWORD, SignIn, TestApi, read};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

fn claim(host: &TestApi, token: &str, address: usize) -> RequestBuilder {
    host.anonymous(Method::POST, "/auth/setup")
        .header("x-forwarded-for", format!("198.51.100.{address}"))
        .json(&json!({ "token": token, "username": "ana", "password": PASSWORD }))
}

fn login(host: &TestApi, username: &str, password: &str, address: &str) -> RequestBuilder {
    host.anonymous(Method::POST, "/auth/login")
        .header("x-forwarded-for", address)
        .json(&json!({ "username": username, "password": password }))
}

#[tokio::test]
async fn of_a_hundred_racing_claims_one_becomes_admin_and_set_up_is_gone() {
    let host = TestApi::start().await;
    assert_eq!(host.get("/auth/setup").await.1, json!({ "needed": true }));
    let token = host.setup_token().await;
    let claims = (0..100).map(|address| read(claim(&host, &token, address)));
    let mut outcomes: BTreeMap<u16, usize> = BTreeMap::new();
    for (status, body) in join_all(claims).await {
        *outcomes.entry(status.as_u16()).or_default() += 1;
        assert!(
            [200, 404, 503].contains(&status.as_u16()),
            "{status}: {body}; 503 is for those who would have to wait too long"
        );
    }
    assert_eq!(outcomes[&200], 1, "{outcomes:?}");
    assert_eq!(host.store.admin_count().await.unwrap(), 1);

    let (status, body) = read(claim(&host, &token, 200)).await;
    assert_eq!((status.as_u16(), &body["code"]), (404, &json!("setup_done")));
    assert_eq!(host.get("/auth/setup").await.1, json!({ "needed": false }));
    assert!(host.api.setup_link(&host.url()).await.unwrap().is_none(), "no link is made any more");
}

#[tokio::test]
async fn a_set_up_token_is_the_newest_one_for_half_an_hour() {
    let host = TestApi::start().await;
    let first = host.setup_token().await;
    let second = host.setup_token().await;
    assert!(second.len() >= 22, "128 bits take 22 characters");
    for wrong in [first.as_str(), "", "made up"] {
        assert_eq!(read(claim(&host, wrong, 1)).await.0, StatusCode::NOT_FOUND, "{wrong}");
    }
    host.clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(read(claim(&host, &second, 2)).await.0, StatusCode::NOT_FOUND, "too late");
    let third = host.setup_token().await;
    assert_eq!(read(claim(&host, &third, 3)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_weak_password_is_refused_and_the_token_still_works() {
    let host = TestApi::start().await;
    let token = host.setup_token().await;
    for (index, (username, password, code)) in [
        ("ana", "short", "password_weak"),
        ("ana", "passwordpassword", "password_weak"),
        ("ana", &"x".repeat(129), "password_weak"),
        ("a b", PASSWORD, "username_invalid"),
        ("", PASSWORD, "username_invalid"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "token": token, "username": username, "password": password });
        let request = host
            .anonymous(Method::POST, "/auth/setup")
            .header("x-forwarded-for", format!("198.51.100.{index}"))
            .json(&body);
        let (status, body) = read(request).await;
        assert_eq!((status.as_u16(), &body["code"]), (400, &json!(code)), "{password}");
        assert!(!body.to_string().contains(PASSWORD));
    }
    assert_eq!(read(claim(&host, &token, 9)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_sign_in_gives_a_short_token_and_a_cookie_that_scripts_cannot_read() {
    let host = TestApi::start().await;
    host.set_up().await;
    let response = login(&host, "ANA", PASSWORD, "198.51.100.1").send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    let body: Value = response.json().await.unwrap();
    let port = host.address.port();
    assert!(cookie.starts_with(&format!("pairing_refresh_{port}=")), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/auth", "Max-Age=43200"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
    assert_eq!(body["user"]["username"], "ana");
    let me =
        host.anonymous(Method::GET, "/auth/me").bearer_auth(body["accessToken"].as_str().unwrap());
    let me = read(me).await.1;
    assert_eq!((&me["username"], &me["issuer"]), (&json!("ana"), &json!("local")));
    host.clock.advance(Duration::from_secs(5 * 60 + 30));
    let me =
        host.anonymous(Method::GET, "/auth/me").bearer_auth(body["accessToken"].as_str().unwrap());
    assert_eq!(read(me).await.0, 401, "it lives five minutes");
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let host = TestApi::with(|config| config.is_https = true).await;
    let body =
        json!({ "token": host.setup_token().await, "username": "ana", "password": PASSWORD });
    let response = host.anonymous(Method::POST, "/auth/setup").json(&body).send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-pairing_refresh_"), "{cookie}");
    assert!(cookie.contains("Secure") && cookie.contains("Path=/;"), "{cookie}");
    assert!(!cookie.contains("Domain"), "{cookie}");
}

/// Of [`PASSWORD`], by parameters that were never ours.
const CHEAP_HASH: &str = "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$HwJq112gqvAz8bfr/gtECQeMn8ZxM7JbiIUucLFvVUg";

#[tokio::test]
async fn a_sign_in_renews_a_hash_of_other_parameters_and_ends_no_other_sign_in() {
    let host = TestApi::start().await;
    let first = host.set_up().await;
    let ana = host.store.admin("ana").await.unwrap().unwrap();
    let own = ana.password_hash;
    assert!(host.store.update_password_hash(ana.id, &own, CHEAP_HASH).await.unwrap());
    let kept = async || host.store.admin("ana").await.unwrap().unwrap().password_hash;

    assert_eq!(read(login(&host, "ana", "wrong", "198.51.100.1")).await.0, 401);
    assert_eq!(kept().await, CHEAP_HASH, "only the right password tells what to hash");
    assert_eq!(read(login(&host, "ana", PASSWORD, "198.51.100.1")).await.0, 200);
    let renewed = kept().await;
    let costs = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(costs(&renewed), costs(&own));
    assert_eq!(read(host.refresh(&first.cookie)).await.0, 200, "whoever is in stays in");
    assert_eq!(read(login(&host, "ana", PASSWORD, "198.51.100.2")).await.0, 200);
    assert_eq!(kept().await, renewed, "and once is enough");
}

#[tokio::test]
async fn wrong_name_and_wrong_password_look_the_same() {
    let host = TestApi::start().await;
    host.set_up().await;
    let (status, wrong_password) =
        read(login(&host, "ana", "not her password", "198.51.100.1")).await;
    assert_eq!((status.as_u16(), &wrong_password["code"]), (401, &json!("login_failed")));
    for name in ["nobody", "", "a b", &"x".repeat(10_000)] {
        let (status, body) =
            read(login(&host, name, PASSWORD, &format!("203.0.113.{}", name.len() % 200))).await;
        assert_eq!((status.as_u16(), body), (401, wrong_password.clone()), "{name:.20}");
    }
}

#[tokio::test]
async fn sign_ins_are_limited_by_address_and_by_account_and_harm_nobody_signed_in() {
    let host = TestApi::start().await;
    let sign_in = host.set_up().await;
    for _ in 0..3 {
        assert_eq!(read(login(&host, "ana", "wrong", "198.51.100.1")).await.0, 401);
    }
    let response = login(&host, "ana", PASSWORD, "198.51.100.1").send().await.unwrap();
    assert_eq!(response.status(), 429, "even with the right password");
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert!(response.headers()["ratelimit"].to_str().unwrap().starts_with("\"login-address\";r=0"));

    // Thirty an hour for an account, from wherever they come; three are gone.
    let mut refused = 0;
    for address in 2..40 {
        let request = login(&host, "Ana", "wrong", &format!("198.51.100.{address}"));
        refused += usize::from(read(request).await.0 == 429);
    }
    assert_eq!(refused, 38 - 27);
    let me = host.anonymous(Method::GET, "/auth/me").bearer_auth(&sign_in.access_token);
    assert_eq!(read(me).await.0, 200, "whoever is in stays in");
    assert_eq!(read(host.refresh(&sign_in.cookie)).await.0, 200);
}

#[tokio::test]
async fn many_sign_ins_at_once_are_turned_away_instead_of_piling_up() {
    let host = TestApi::start().await;
    let sign_ins = (0..200).map(async |index| {
        let name = format!("user-{index}");
        read(login(&host, &name, "wrong", &format!("203.0.113.{index}"))).await.0.as_u16()
    });
    let reads = async {
        let mut answered = 0;
        for _ in 0..50 {
            answered += usize::from(host.get("/whatsapp/sessions").await.0 == 200);
        }
        answered
    };
    let (statuses, answered) = tokio::join!(join_all(sign_ins), reads);
    assert_eq!(answered, 50, "others are served meanwhile");
    let count = |status: u16| statuses.iter().filter(|found| **found == status).count();
    assert_eq!(count(401) + count(503), 200, "{statuses:?}");
    assert!(count(503) >= 100, "few wait: {statuses:?}");
    assert!(count(401) >= 2, "and they are answered: {statuses:?}");
}

#[tokio::test]
async fn fifty_renewals_at_once_make_one_chain() {
    let host = TestApi::start().await;
    let sign_in = host.set_up().await;
    let renewals = (0..50).map(async |_| {
        SignIn::from(host.refresh(&sign_in.cookie).send().await.unwrap()).await.cookie
    });
    let cookies: std::collections::BTreeSet<String> =
        join_all(renewals).await.into_iter().collect();
    assert_eq!(cookies.len(), 1, "all got the same successor");
    let successor = cookies.into_iter().next().unwrap();
    assert_ne!(successor, sign_in.cookie);
    assert_eq!(read(host.refresh(&successor)).await.0, 200, "and it works");
}

#[tokio::test]
async fn a_lost_answer_may_be_asked_for_again_while_its_successor_is_unused() {
    let host = TestApi::start().await;
    let sign_in = host.set_up().await;
    let lost = SignIn::from(host.refresh(&sign_in.cookie).send().await.unwrap()).await;
    host.clock.advance(Duration::from_secs(59));
    let again = SignIn::from(host.refresh(&sign_in.cookie).send().await.unwrap()).await;
    assert_eq!(again.cookie, lost.cookie);
    host.clock.advance(Duration::from_secs(2));
    assert_eq!(read(host.refresh(&sign_in.cookie)).await.0, 401, "a minute later it is spent");
}

#[tokio::test]
async fn a_spent_cookie_ends_the_sign_in_of_whoever_stole_or_lost_it() {
    let host = TestApi::start().await;
    let first = host.set_up().await;
    let second = SignIn::from(host.refresh(&first.cookie).send().await.unwrap()).await;
    let third = SignIn::from(host.refresh(&second.cookie).send().await.unwrap()).await;
    let (status, body) = read(host.refresh(&first.cookie)).await;
    assert_eq!((status.as_u16(), &body["code"]), (401, &json!("refresh_reused")));
    assert_eq!(read(host.refresh(&third.cookie)).await.0, 401, "the newest one too");
    for token in [&first.access_token, &third.access_token] {
        let me = host.anonymous(Method::GET, "/auth/me").bearer_auth(token);
        assert_eq!(read(me).await.0, 401, "and the access tokens");
    }
}

#[tokio::test]
async fn a_sign_in_ends_when_it_is_idle_and_after_half_a_day() {
    let host = TestApi::start().await;
    let idle = host.set_up().await;
    let mut busy =
        SignIn::from(login(&host, "ana", PASSWORD, "198.51.100.1").send().await.unwrap()).await;
    let step = Duration::from_secs(29 * 60);
    host.clock.advance(step);
    busy = SignIn::from(host.refresh(&busy.cookie).send().await.unwrap()).await;
    host.clock.advance(Duration::from_secs(2 * 60));
    assert_eq!(read(host.refresh(&idle.cookie)).await.0, 401, "idle for half an hour");
    for _ in 0..23 {
        busy = SignIn::from(host.refresh(&busy.cookie).send().await.unwrap()).await;
        host.clock.advance(step);
    }
    host.clock.advance(Duration::from_secs(25 * 60));
    assert_eq!(read(host.refresh(&busy.cookie)).await.0, 401, "twelve hours are over");
}

#[tokio::test]
async fn cookies_that_are_not_ours_renew_nothing() {
    let host = TestApi::start().await;
    let sign_in = host.set_up().await;
    let (name, value) = sign_in.cookie.split_once('=').unwrap();
    let other_port = sign_in.cookie.replace(&host.address.port().to_string(), "1");
    for cookie in [
        format!("{name}="),
        format!("{name}=AAAA"),
        format!("{name}={}", &value[1..]),
        format!("{name}={value}A"),
        format!("refresh={value}"),
        other_port,
    ] {
        assert_eq!(read(host.refresh(&cookie)).await.0, 401, "{cookie}");
    }
    assert_eq!(read(host.refresh(&sign_in.cookie)).await.0, 200);
}
