//! Tickets for WebSockets: browsers can't send a header with one, and a token
//! does not belong into an address. A ticket works once, for half a minute, for
//! the caller and origin that asked for it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use pairing_core::clock::{SharedClock, Timestamp};
use rand::RngCore;
use sha2::{Digest, Sha256};

use super::principal::Principal;

const LIFETIME: Duration = Duration::from_secs(30);
/// Tickets that may be out at once.
const MAX_OUT: usize = 10_000;

/// A ticket that was handed out.
pub struct Ticket {
    /// To be presented once.
    pub text: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

struct Out {
    principal: Principal,
    origin: Option<String>,
    expires_at: Timestamp,
}

/// All tickets that are out. In memory: they don't outlive the host, nor need to.
pub struct Tickets {
    clock: SharedClock,
    out: Mutex<HashMap<[u8; 32], Out>>,
}

impl Tickets {
    /// None is out yet.
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, out: Mutex::default() }
    }

    /// Hands one out. None where far too many are out.
    pub fn issue(&self, principal: Principal, origin: Option<String>) -> Option<Ticket> {
        let now = self.clock.now();
        let mut bytes = [0; 32];
        rand::rng().fill_bytes(&mut bytes);
        let text = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let expires_at = now.after(LIFETIME);
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.retain(|_, ticket| now < ticket.expires_at);
        if out.len() >= MAX_OUT {
            return None;
        }
        out.insert(digest(&text), Out { principal, origin, expires_at });
        Some(Ticket { text, expires_at })
    }

    /// Takes one back. It is spent even when the origin is another.
    pub fn take(&self, text: &str, origin: Option<&str>) -> Option<Principal> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = out.remove(&digest(text))?;
        let is_valid = self.clock.now() < ticket.expires_at && ticket.origin.as_deref() == origin;
        is_valid.then_some(ticket.principal)
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pairing_core::fakes::FakeClock;

    use super::{super::principal::Issuer, *};

    #[test]
    fn a_ticket_works_once_in_time_and_for_its_origin() {
        let clock = Arc::new(FakeClock::default());
        let tickets = Tickets::new(clock.clone());
        let principal = Principal {
            subject: "1".into(),
            username: None,
            issuer: Issuer::Local,
            login: None,
            expires_at: Timestamp(u64::MAX),
        };
        let issue = |origin: Option<&str>| {
            tickets.issue(principal.clone(), origin.map(str::to_owned)).unwrap().text
        };
        let ticket = issue(Some("https://a"));
        assert_eq!(tickets.take(&ticket, Some("https://a")), Some(principal.clone()));
        assert_eq!(tickets.take(&ticket, Some("https://a")), None, "spent");
        let ticket = issue(Some("https://a"));
        assert_eq!(tickets.take(&ticket, Some("https://b")), None, "another origin");
        assert_eq!(tickets.take(&ticket, Some("https://a")), None, "spent by the attempt");
        let ticket = issue(None);
        clock.advance(LIFETIME);
        assert_eq!(tickets.take(&ticket, None), None, "too late");
        assert_eq!(tickets.take("made up", None), None);
    }
}
