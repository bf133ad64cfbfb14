//! Whose tokens are accepted, and what follows from their claims.

use std::time::Duration;

use jsonwebtoken::{
    Algorithm,
    jwk::{Jwk, ThumbprintHash},
};
use pairing_core::clock::Clock;
use pairing_tests::{TestApi, finbot};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::forge::{Key, key_set, write_keys};

async fn status(host: &TestApi, token: &str) -> StatusCode {
    let request = host.anonymous(Method::GET, "/auth/me").bearer_auth(token);
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn finbots_claims_are_enough_and_the_role_is_taken_in_any_case() {
    let host = TestApi::start().await;
    for (claims, expected) in [
        (json!({}), 200),
        (json!({ "iat": null, "email": null }), 200),
        (json!({ "role": "admin" }), 200),
        (json!({ "role": "Admin" }), 200),
        (json!({ "role": null, "roles": ["user", "ADMIN"] }), 200),
        (json!({ "role": "USER", "roles": ["admin"] }), 200),
        (json!({ "role": null }), 403),
        (json!({ "role": "USER" }), 403),
        (json!({ "role": "administrator" }), 403),
        (json!({ "role": " admin" }), 403),
        (json!({ "role": true }), 403),
        (json!({ "role": { "name": "admin" } }), 403),
        (json!({ "role": null, "roles": [["admin"]] }), 403),
    ] {
        assert_eq!(status(&host, &host.token(claims.clone())).await, expected, "{claims}");
    }
}

#[tokio::test]
async fn a_token_without_the_role_is_told_so_everywhere_alike() {
    let host = TestApi::start().await;
    let token = host.token(json!({ "role": "USER" }));
    let request = host.anonymous(Method::GET, "/whatsapp/sessions").bearer_auth(token);
    let (status, body) = pairing_tests::read(request).await;
    assert_eq!((status.as_u16(), &body["code"]), (403, &json!("forbidden")));
    assert!(body["message"].as_str().unwrap().contains("role"), "{body}");
}

#[tokio::test]
async fn a_token_ends_when_it_expires_and_clocks_may_differ_by_half_a_minute() {
    let host = TestApi::start().await;
    let now = host.clock.now().0 / 1000;
    let token = host.token(json!({ "iat": now + 29, "nbf": now + 29, "exp": now + 60 }));
    assert_eq!(status(&host, &token).await, 200);
    host.clock.advance(Duration::from_secs(89));
    assert_eq!(status(&host, &token).await, 200);
    host.clock.advance(Duration::from_secs(1));
    assert_eq!(status(&host, &token).await, 401);
}

#[tokio::test]
async fn issuer_and_audience_are_enforced_where_configured() {
    let host = TestApi::with(|config| {
        let issuer = config.issuer.as_mut().unwrap();
        (issuer.issuer, issuer.audience) = (Some("finbot".into()), Some("pairing".into()));
    })
    .await;
    for (claims, expected) in [
        (json!({ "iss": "finbot", "aud": "pairing" }), 200),
        // One of several audiences is enough: such a token was meant for us too.
        (json!({ "iss": "finbot", "aud": ["other", "pairing"] }), 200),
        (json!({}), 401),
        (json!({ "iss": "finbot" }), 401),
        (json!({ "aud": "pairing" }), 401),
        (json!({ "iss": "Finbot", "aud": "pairing" }), 401),
        (json!({ "iss": "finbot ", "aud": "pairing" }), 401),
        (json!({ "iss": 1, "aud": "pairing" }), 401),
        (json!({ "iss": "finbot", "aud": "other" }), 401),
        (json!({ "iss": "finbot", "aud": ["other"] }), 401),
        (json!({ "iss": "finbot", "aud": [] }), 401),
        (json!({ "iss": "finbot", "aud": 1 }), 401),
    ] {
        assert_eq!(status(&host, &host.token(claims.clone())).await, expected, "{claims}");
    }
}

#[tokio::test]
async fn our_own_tokens_and_finbots_never_pass_by_each_others_rules() {
    let signing = pairing_api::LocalKeys::new_signing_key().unwrap();
    let own = Key::p256_of(&signing);
    let host = TestApi::with(|config| config.keys.signing = signing.into()).await;
    let kid = Jwk::from_encoding_key(&own.encoding, Algorithm::ES256).unwrap();
    let kid = kid.thumbprint(ThumbprintHash::SHA256).unwrap();
    let now = host.clock.now().0 / 1000;
    let header = |typ: &str, alg: &str| json!({ "alg": alg, "typ": typ, "kid": kid }).to_string();
    let claims = |change: Value| {
        let mut all = json!({
            "iss": "pairing-console", "aud": "pairing-console", "sub": "cli", "role": "admin",
            "iat": now, "nbf": now, "exp": now + 300,
        });
        all.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        all.to_string()
    };
    let token = |change: Value| own.sign(&header("at+jwt", "ES256"), &claims(change));
    for (change, expected) in [
        (json!({}), 200),
        (json!({ "role": "ADMIN" }), 403),
        (json!({ "role": null, "roles": ["admin"] }), 403),
        (json!({ "iss": null }), 401),
        (json!({ "iss": "finbot" }), 401),
        (json!({ "aud": null }), 401),
        (json!({ "aud": "finbot" }), 401),
        (json!({ "nbf": null }), 401),
        (json!({ "sub": null }), 401),
        (json!({ "exp": now - 31 }), 401),
        (json!({ "sid": uuid() }), 401),
        (json!({ "auth_time": now }), 401),
        (json!({ "sid": uuid(), "auth_time": now }), 401),
        (json!({ "sid": "no UUID", "auth_time": now }), 401),
    ] {
        assert_eq!(status(&host, &token(change.clone())).await, expected, "{change}");
    }
    let good = claims(json!({}));
    for (what, token) in [
        ("another type", own.sign(&header("JWT", "ES256"), &good)),
        ("our kid, FinBot's key", Key::finbot().sign(&header("at+jwt", "HS256"), &good)),
        ("our kid, a stranger's key", Key::p256().sign(&header("at+jwt", "ES256"), &good)),
        ("our key without kid", own.sign(r#"{"alg":"ES256","typ":"at+jwt"}"#, &good)),
    ] {
        assert_eq!(status(&host, &token).await, 401, "{what}");
    }
}

fn uuid() -> &'static str {
    "0190c2a4-7d1c-4a3e-8f00-2b6d1f3a9c55"
}

#[tokio::test]
async fn a_changed_key_set_is_followed_within_minutes_and_not_read_for_every_token() {
    let (old, new) = (Key::p256(), Key::rsa());
    let (file, setting) = key_set(vec![old.public("old")]);
    let host = TestApi::with(|config| config.issuer = Some(finbot(setting))).await;
    let now = host.clock.now().0 / 1000;
    let claims = json!({ "sub": "42", "role": "ADMIN", "exp": now + 3600 }).to_string();
    let old_token = old.sign(r#"{"alg":"ES256","kid":"old"}"#, &claims);
    let new_token = new.sign(r#"{"alg":"RS256","kid":"new"}"#, &claims);
    assert_eq!(status(&host, &old_token).await, 200);

    write_keys(&file, vec![new.public("new")]);
    assert_eq!(status(&host, &new_token).await, 401, "the set was read a moment ago");
    host.clock.advance(Duration::from_secs(60));
    assert_eq!(status(&host, &old_token).await, 200, "nothing asked for another key yet");
    assert_eq!(status(&host, &new_token).await, 200, "an unknown kid has the set read");
    assert_eq!(status(&host, &old_token).await, 401, "what is remembered ends with the key");

    write_keys(&file, vec![old.public("old")]);
    host.clock.advance(Duration::from_secs(300));
    assert_eq!(status(&host, &new_token).await, 401, "an old set is read again by itself");

    std::fs::remove_file(file.path()).unwrap();
    host.clock.advance(Duration::from_secs(301));
    assert_eq!(status(&host, &old_token).await, 200, "the last good set counts on");
}
