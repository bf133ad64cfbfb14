//! A handler for tests that does what its events say: looks around, misbehaves,
//! or uses what it was granted. Events are of kind `probe`; the field `do` names
//! the deed, others are its arguments. What it sees it says in its log.

#![expect(clippy::unwrap_used, reason = "a trap is an answer, too")]

pub mod bindings;
mod http;
mod look;

use bindings::{
    exports::pairing_console::handler::handler::{
        Delivery, Description, Event, Guest, HandleError, Later,
    },
    pairing_console::{
        handler::{
            clock, config, kv,
            log::{self, Level},
            random, secrets, session,
        },
        types::events::EventData,
    },
};

/// The component.
pub struct ProbeHandler;

impl Guest for ProbeHandler {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            types: None,
            extra: Vec::new(),
        }
    }

    fn handle(event: Event, delivery: Delivery) -> Result<(), HandleError> {
        let EventData::Other(other) = &event.data else {
            say(&format!("event {} {}", event.id, event.session_name));
            return Ok(());
        };
        let field = |name: &str| {
            let found = other.fields.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let deed = field("do");
        match deed.as_str() {
            "look" => look::around(),
            "grants" => look_at_grants(&field("session")),
            "attempt" => {
                say(&format!("attempt {} for {}", delivery.attempt, delivery.subscription))
            }
            "spin" => spin(),
            "grow" => grow(),
            "trap" => outer_deed(),
            "flood" => (0..1000).for_each(|line| say(&format!("{line} {}", "x".repeat(200)))),
            "reject" => return Err(HandleError::Reject("on purpose".into())),
            "retry" => return Err(HandleError::Retry("on purpose".into())),
            "retry-after" => {
                let after = field("ms").parse().unwrap();
                return Err(HandleError::RetryAfter(Later { after, why: "on purpose".into() }));
            }
            "gone" => return Err(HandleError::Gone("on purpose".into())),
            "fetch" => {
                let headers = [("authorization", field("authorization"))];
                let answer =
                    http::request("POST", &field("url"), &headers, field("body").as_bytes());
                say(&format!("fetch {answer:?}"));
            }
            "session" => say(&format!("session {:?}", session::reconnect(&field("session")))),
            "put" => say(&format!("put {:?}", kv::put(&field("key"), field("value").as_bytes()))),
            "dump" => dump(&field("url"), &field("secret")),
            other => say(&format!("event {} {other}", event.id)),
        }
        Ok(())
    }
}

pub(crate) fn say(line: &str) {
    log::log(Level::Info, line);
}

fn look_at_grants(session_name: &str) {
    say(&format!("config {:?}", config::entries()));
    say(&format!("keys {:?}", kv::keys("", None)));
    say(&format!("clock {}", clock::now()));
    say(&format!("random {:?}", random::bytes(16)));
    say(&format!("secrets {:?}", secrets::names()));
    say(&format!("sign {:?}", secrets::sign("other", b"x").is_err()));
    say(&format!("reconnect {:?}", session::reconnect(session_name)));
    say(&format!("log-out {:?}", session::log_out(session_name)));
}

fn spin() {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

fn grow() {
    let mut all: Vec<Vec<u8>> = Vec::new();
    loop {
        all.push(vec![1; 1 << 20]);
    }
}

/// Two functions, so that a trap has names to tell.
#[inline(never)]
fn outer_deed() {
    inner_deed(std::hint::black_box(0));
}

#[inline(never)]
fn inner_deed(zero: u32) {
    assert!(std::hint::black_box(zero) == 1, "on purpose");
}

/// Uses a secret in both ways, and then sends all memory that there is.
#[cfg_attr(
    target_arch = "wasm32",
    expect(unsafe_code, reason = "to read what no pointer leads to is the point")
)]
fn dump(url: &str, secret: &str) {
    let placeholder = format!("Bearer {{{{secret:{secret}}}}}");
    let used = http::request("POST", url, &[("authorization", placeholder.clone())], b"used");
    let signed = secrets::sign(secret, b"signed");
    say(&format!("used {used:?} signed {}", signed.is_ok()));
    #[cfg(target_arch = "wasm32")]
    {
        const PAGE: usize = 64 << 10;
        let pages = core::arch::wasm32::memory_size(0);
        for page in 0..pages {
            let (start, length) = if page == 0 { (8, PAGE - 8) } else { (page * PAGE, PAGE) };
            // SAFETY: all of the linear memory is readable.
            let bytes = unsafe { core::slice::from_raw_parts(start as *const u8, length) };
            let sent = http::request("PUT", url, &[], bytes);
            assert!(sent.is_ok(), "{sent:?}");
        }
        say(&format!("dumped {pages}"));
        // Both were there all the time, so a search finds them.
        std::hint::black_box((&placeholder, &signed));
    }
}
