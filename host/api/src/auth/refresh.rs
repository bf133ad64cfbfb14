//! Refresh tokens. A token is its sign-in's id, a counter, and a MAC over both:
//! the database holds the counter only, and the successor of a token is always
//! the same one. So two tabs that renew at once, or a lost answer, get one and the
//! same successor instead of two chains.

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretSlice};
use uuid::Uuid;

/// Makes and reads refresh tokens.
pub struct RefreshTokens {
    key: hmac::Key,
}

impl RefreshTokens {
    /// With this key of 32 bytes.
    pub fn new(key: &SecretSlice<u8>) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret()) }
    }

    /// The token of a sign-in's counter.
    pub fn write(&self, login: Uuid, counter: u64) -> String {
        let mut bytes = message(login, counter).to_vec();
        bytes.extend_from_slice(hmac::sign(&self.key, &bytes).as_ref());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Sign-in and counter, if we made the token.
    pub fn read(&self, token: &str) -> Option<(Uuid, u64)> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (message, mac) = bytes.split_at_checked(24)?;
        hmac::verify(&self.key, message, mac).ok()?;
        let (login, counter) = message.split_at(16);
        Some((Uuid::from_slice(login).ok()?, u64::from_be_bytes(counter.try_into().ok()?)))
    }
}

fn message(login: Uuid, counter: u64) -> [u8; 24] {
    let mut message = [0; 24];
    message[..16].copy_from_slice(login.as_bytes());
    message[16..].copy_from_slice(&counter.to_be_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_tokens_are_read() {
        let tokens = RefreshTokens::new(&vec![7; 32].into());
        let login = Uuid::new_v4();
        let token = tokens.write(login, 3);
        assert_eq!(tokens.read(&token), Some((login, 3)));
        assert_eq!(RefreshTokens::new(&vec![8; 32].into()).read(&token), None);
        for place in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_ne!(tokens.read(&changed), Some((login, 4)), "{place}");
            assert!(changed == token || tokens.read(&changed).is_none(), "{place}");
        }
        assert_eq!(tokens.read(""), None);
    }
}
