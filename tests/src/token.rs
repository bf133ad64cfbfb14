//! Tokens as FinBot writes them.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// The key that test hosts and FinBot share.
pub const ISSUER_KEY: &str = "a-key-for-tests-0123456789-abcdefghij";

/// An admin's token, valid for an hour.
pub fn admin_token() -> String {
    token_with(json!({}))
}

/// An admin's token with other claims on top; null removes one.
pub fn token_with(claims: Value) -> String {
    token_at(jsonwebtoken::get_current_timestamp(), claims)
}

/// The same, issued at this second since 1970.
pub fn token_at(now: u64, claims: Value) -> String {
    let mut all = json!({
        "sub": "42",
        "email": "admin@finbot.example",
        "role": "ADMIN",
        "iat": now,
        "exp": now + 3600,
    });
    if let (Some(all), Value::Object(claims)) = (all.as_object_mut(), claims) {
        all.extend(claims);
        all.retain(|_, value| !value.is_null());
    }
    let key = EncodingKey::from_secret(ISSUER_KEY.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &all, &key).expect("claims are JSON")
}
