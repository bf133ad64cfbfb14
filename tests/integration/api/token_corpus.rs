//! F1: tokens that must not be accepted. All get one and the same 401.

use pairing_tests::{ISSUER_KEY, TestApi, finbot};
use reqwest::{Method, StatusCode, header};
use serde_json::json;

use super::forge::{Key, encode, key_set};

const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Sends each; all must be refused with the same body.
async fn assert_all_refused(host: &TestApi, tokens: Vec<(String, String)>) {
    let mut bodies = std::collections::BTreeSet::new();
    for (what, token) in tokens {
        let request = host.anonymous(Method::GET, "/whatsapp/sessions").bearer_auth(&token);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{what}: {token}");
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer", "{what}");
        bodies.insert(response.text().await.unwrap());
    }
    assert_eq!(bodies.len(), 1, "the body tells what was wrong: {bodies:?}");
}

/// FinBot's claims, with one part replaced or added as it stands.
fn claims(host: &TestApi, change: &str) -> String {
    let now = pairing_core::clock::Clock::now(&*host.clock).0 / 1000;
    let mut all = vec![
        r#""sub":"42""#.to_owned(),
        r#""role":"ADMIN""#.to_owned(),
        format!(r#""iat":{now}"#),
        format!(r#""exp":{}"#, now + 3600),
    ];
    let name = change.split(':').next().unwrap_or_default();
    all.retain(|claim| !claim.starts_with(name) || name.is_empty());
    // A bare name only takes the claim out.
    all.extend(change.contains(':').then(|| change.to_owned()));
    format!("{{{}}}", all.join(","))
}

#[tokio::test]
async fn tokens_of_a_secret_that_are_wrong_are_all_refused_alike() {
    let host = TestApi::start().await;
    let key = Key::finbot();
    let good = claims(&host, "");
    let mut tokens: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, token: String| tokens.push((what.to_owned(), token));

    for alg in ["none", "None", "NONE", "nOnE", "", "HS384", "HS512", "RS256", "ES256", "hs256"] {
        let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
        add(&format!("alg {alg}"), key.sign(&header, &good));
        add(&format!("alg {alg} unsigned"), format!("{}.{}.", encode(&header), encode(&good)));
    }
    for header in [
        r#"{"typ":"JWT"}"#,
        r#"{"alg":256}"#,
        r#"{"alg":null}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
        r#"{"alg":"HS256","jku":"https://evil.example/jwks"}"#,
        r#"{"alg":"HS256","x5u":"https://evil.example/cert"}"#,
        r#"{"alg":"HS256","x5c":["AAAA"]}"#,
        r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}"#,
        r#"["HS256"]"#,
        "not JSON",
        "",
    ] {
        add(&format!("header {header}"), key.sign(header, &good));
    }
    for change in [
        "\"exp\"",
        r#""exp":"9999999999""#,
        r#""exp":9999999999.5"#,
        r#""exp":-1"#,
        r#""exp":0"#,
        r#""exp":null"#,
        r#""exp":true"#,
        r#""exp":[9999999999]"#,
        r#""exp":1e400"#,
        r#""exp":1e10"#,
        r#""exp":9999999999999"#,
        r#""exp":18446744073709551616"#,
        r#""nbf":"0""#,
        r#""nbf":0.5"#,
        r#""nbf":-1"#,
        r#""nbf":9999999999"#,
        r#""iat":9999999999"#,
        r#""iat":"0""#,
        r#""iat":-1"#,
        "\"sub\"",
        r#""sub":"""#,
        r#""sub":42"#,
        r#""sub":null"#,
        r#""sub":{"id":"42"}"#,
    ] {
        add(&format!("claims {change}"), key.sign(HS256, &claims(&host, change)));
    }
    let long = format!(r#""sub":"{}""#, "4".repeat(256));
    add("a long sub", key.sign(HS256, &claims(&host, &long)));
    let large = format!(r#""note":"{}""#, "x".repeat(9000));
    add("a large token", key.sign(HS256, &claims(&host, &large)));
    let twice = good.replacen('{', r#"{"role":"user","#, 1);
    add("a role that stands twice", key.sign(HS256, &twice));
    let twice = good.replacen('{', r#"{"exp":1,"#, 1);
    add("an exp that stands twice", key.sign(HS256, &twice));
    for claims in ["[]", "\"admin\"", "null", "{", ""] {
        add(&format!("claims {claims}"), key.sign(HS256, claims));
    }
    add("another secret", Key::secret(b"another-key-for-tests-0123456789-abc").sign(HS256, &good));
    add("an empty secret", Key::secret(b"").sign(HS256, &good));
    add("half of the secret", Key::secret(&ISSUER_KEY.as_bytes()[..16]).sign(HS256, &good));

    let token = key.sign(HS256, &good);
    let parts: Vec<&str> = token.split('.').collect();
    add("no signature", format!("{}.{}.", parts[0], parts[1]));
    add("two parts", format!("{}.{}", parts[0], parts[1]));
    add("one part", parts[0].to_owned());
    add("four parts", format!("{token}.{}", parts[2]));
    add("five parts, as of a JWE", format!("{token}.AAAA.AAAA"));
    add("padding", format!("{token}="));
    add("nested", key.sign(HS256, &token));
    add("white space", token.replace('.', " ."));
    for (index, part) in parts.iter().enumerate() {
        for place in [0, part.len() / 2, part.len() - 1] {
            let mut flipped: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            let old = part.as_bytes()[place];
            // Far enough that it is not only the unused bits of the last digit.
            let new = if old == b'Q' { "4" } else { "Q" };
            flipped[index].replace_range(place..=place, new);
            add(&format!("part {index} changed at {place}"), flipped.join("."));
        }
    }
    assert!(tokens.len() >= 60, "{}", tokens.len());
    assert_all_refused(&host, tokens).await;

    let request = host.anonymous(Method::GET, "/whatsapp/sessions").bearer_auth(&token);
    assert_eq!(request.send().await.unwrap().status(), 200, "the one that all were made from");
}

#[tokio::test]
async fn a_token_counts_only_as_the_one_bearer_token_of_the_request() {
    let host = TestApi::start().await;
    let token = host.token(json!({}));
    let get = |path: &str| host.anonymous(Method::GET, path);
    let in_query = format!("/whatsapp/sessions?token={token}&access_token={token}");
    let requests = [
        get("/whatsapp/sessions"),
        get("/whatsapp/sessions").header("authorization", ""),
        get("/whatsapp/sessions").header("authorization", "Bearer"),
        get("/whatsapp/sessions").header("authorization", token.as_str()),
        get("/whatsapp/sessions").header("authorization", format!("Basic {token}")),
        get("/whatsapp/sessions").header("authorization", format!("Bearer {token} {token}")),
        get("/whatsapp/sessions").bearer_auth(&token).bearer_auth(&token),
        get("/whatsapp/sessions").header("cookie", format!("token={token}; access_token={token}")),
        get(&in_query),
    ];
    for (index, request) in requests.into_iter().enumerate() {
        assert_eq!(request.send().await.unwrap().status(), 401, "request {index}");
    }
}

#[tokio::test]
async fn tokens_of_a_key_set_that_are_wrong_are_all_refused_alike() {
    let (rsa, p256, stranger) = (Key::rsa(), Key::p256(), Key::p256());
    let small = json!({ "kty": "RSA", "kid": "small", "e": "AQAB", "n": SMALL_MODULUS });
    let keys = vec![
        rsa.public("rsa"),
        p256.public("p256"),
        p256.public("twice"),
        stranger.public("twice"),
        serde_json::from_value(small).unwrap(),
    ];
    let (_file, setting) = key_set(keys);
    let host = TestApi::with(|config| config.issuer = Some(finbot(setting))).await;
    let good = claims(&host, "");
    let header = |alg: &str, kid: &str| json!({ "alg": alg, "kid": kid }).to_string();
    let modulus =
        serde_json::to_value(rsa.public("rsa")).unwrap()["n"].as_str().unwrap().to_owned();

    let mut tokens = vec![
        ("an RSA key below 2048 bits", SMALL_TOKEN.to_owned()),
        ("a key that is not in the set", stranger.sign(&header("ES256", "p256"), &good)),
        ("no kid, where there are several keys", p256.sign(r#"{"alg":"ES256"}"#, &good)),
        ("a kid that two keys have", p256.sign(&header("ES256", "twice"), &good)),
        ("a kid that is a number", p256.sign(r#"{"alg":"ES256","kid":1}"#, &good)),
        ("a kid that stands twice", p256.sign(r#"{"alg":"ES256","kid":"x","kid":"p256"}"#, &good)),
        ("the other key's kid", p256.sign(&header("ES256", "rsa"), &good)),
        ("the other key's kid, the other way", rsa.sign(&header("RS256", "p256"), &good)),
        (
            "HMAC with the public key",
            Key::secret(modulus.as_bytes()).sign(&header("HS256", "rsa"), &good),
        ),
        ("HMAC with nothing", Key::secret(b"").sign(&header("HS256", "rsa"), &good)),
        (
            "HMAC with the secret of another issuer",
            Key::finbot().sign(&header("HS256", "p256"), &good),
        ),
    ];
    for kid in ["unknown", "", "../../../etc/passwd", "' OR 1=1 --", "rsa\0", "RSA"] {
        tokens.push(("a kid that is not in the set", p256.sign(&header("ES256", kid), &good)));
    }
    for alg in ["RS384", "RS512", "PS256", "HS256", "ES256", "none"] {
        tokens.push(("another algorithm than the key's", rsa.sign(&header(alg, "rsa"), &good)));
    }
    for alg in ["ES384", "ES256K", "EdDSA", "HS256", "RS256", "none"] {
        tokens.push(("another algorithm than the key's", p256.sign(&header(alg, "p256"), &good)));
    }
    let tokens = tokens.into_iter().map(|(what, token)| (what.to_owned(), token)).collect();
    assert_all_refused(&host, tokens).await;

    for token in
        [rsa.sign(&header("RS256", "rsa"), &good), p256.sign(&header("ES256", "p256"), &good)]
    {
        let request = host.anonymous(Method::GET, "/whatsapp/sessions").bearer_auth(token);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

/// Of 1024 bits; such keys can't be made with the library any more.
const SMALL_MODULUS: &str = "1HKwU-r6WAqezTSGNVnYatoD2mbshBFtXCPoBJDOa89j8-8385kEMzn_ewABa23jBCFazbppEPOkZCttwpGAtjGLXtjURm3-kSneKfhRRm8Ta3YhWonaOJRaHDh8o4TToIwgVLCpu0A87FqHJOC4GkcrXU-si0_So9q3MOWjDLs";
/// Signed with it; valid until 2100 but for the key's size.
const SMALL_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InNtYWxsIn0.eyJzdWIiOiI0MiIsInJvbGUiOiJhZG1pbiIsImV4cCI6NDEwMjQ0NDgwMH0.nAL3Tz_qc5okzveltZVva1FJk0jsvI-0kazWylETmuQj89QHLh-UZG9nR36fMJFh1xNKvB-E8eO-Y2L0JcdrfSwRaUVCXgZsbLWmGoFpCZs4K-HFGqvaSDpu_P0SJVSdOfQOp0l5Isnfg32l7crL5AkGIQvnexu3XEzocftJW2k";
