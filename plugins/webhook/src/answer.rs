//! What a receiver's answer means.

use std::time::{Duration, UNIX_EPOCH};

use crate::bindings::{
    exports::pairing_console::handler::handler::{HandleError, Later},
    pairing_console::types::types::Timestamp,
};

/// A receiver's answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    /// How its body begins, where there was an error; may be anything.
    pub(crate) text: String,
}

/// By the specification: 2xx is success, 410 switches the endpoint off, anything
/// else is tried again. A redirect is not followed, because the signed message
/// was meant for the address that the operator knows.
pub(crate) fn outcome(answer: &Answer, now: Timestamp) -> Result<(), HandleError> {
    let why = why(answer);
    match answer.status {
        200..=299 => Ok(()),
        410 => Err(HandleError::Gone(why)),
        429 | 503 => match answer.retry_after.as_deref().and_then(|text| delay(text, now)) {
            Some(after) => Err(HandleError::RetryAfter(Later { after, why })),
            None => Err(HandleError::Retry(why)),
        },
        _ => Err(HandleError::Retry(why)),
    }
}

fn why(answer: &Answer) -> String {
    const SHORT: usize = 200;
    let status = answer.status;
    let hint = match status {
        300..=399 => " (a redirect, which is not followed: set `url` to where it leads)",
        410 => " (the receiver wants no more)",
        _ => "",
    };
    // For people, on one line.
    let words: Vec<&str> = answer.text.split_whitespace().collect();
    let said: String = words.join(" ").chars().filter(|c| !c.is_control()).take(SHORT).collect();
    if said.is_empty() {
        format!("the receiver answered {status}{hint}")
    } else {
        format!("the receiver answered {status}{hint}: {said}")
    }
}

/// Milliseconds, from `Retry-After`: seconds, or a date.
fn delay(text: &str, now: Timestamp) -> Option<u64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(1000));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let now = UNIX_EPOCH + Duration::from_millis(now);
    // A date in the past: at once.
    let delay = date.duration_since(now).unwrap_or_default();
    Some(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX))
}
