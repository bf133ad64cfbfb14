//! Failures of an engine, and texts of others cleared of what is private.

use std::fmt::Display;

use pairing_core::workflow::{EngineFailure, EngineFailureKind};

/// Longer texts are cut.
const LONGEST: usize = 600;

pub(crate) fn failure(kind: EngineFailureKind, step: &str, message: impl Display) -> EngineFailure {
    EngineFailure { kind, step: step.into(), message: cleared(&message.to_string()) }
}

/// The text without what could be a phone number, code, key or ref, and not
/// endless: a page's or browser's own words may hold any of these.
pub(crate) fn cleared(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST));
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_alphanumeric() || "@+/=_-".contains(c) {
            word.push(c);
            continue;
        }
        out.push_str(if is_private(&word) { "…" } else { &word });
        word.clear();
        out.push(c);
        if out.len() > LONGEST {
            out.push('…');
            break;
        }
    }
    out.trim_end().into()
}

fn is_private(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let letters = word.chars().filter(|c| c.is_ascii_alphabetic()).count();
    // A path begins with a slash and has short steps; so, rarely, does a key.
    let longest_step = word.split('/').map(str::len).max().unwrap_or_default();
    let is_path = word.starts_with('/') && longest_step < 20;
    let is_long = word.len() >= 20 && digits >= 2 || word.len() >= 40;
    let looks_like_a_key = is_long && !is_path;
    let looks_like_a_code = (8..=9).contains(&word.len())
        && word.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase() || c == '-')
        && (digits > 0 && letters > 0 || word.chars().nth(4) == Some('-'));
    digits >= 7 || looks_like_a_key || looks_like_a_code
}

#[cfg(test)]
mod tests {
    use super::cleared;

    #[test]
    fn numbers_codes_and_keys_are_taken_out() {
        let text =
            "asked for +4915112345678, got ABCD-1234 (ABCD1234) 2@Ab1cd2ef3gh4ij5kl6mn7op,next";
        assert_eq!(cleared(text), "asked for …, got … (…) …,next");
    }

    #[test]
    fn a_key_with_slashes_is_a_key() {
        let keys = "2@Ab1cd2/Ef3gh4ij5kl6mn7op, k/QxZbcTyUioPaSdFgHjKlZxCvBnMqWeRtYuIoPaSdF=, /a1b2/Ef3gh4ij5kl6mn7opqrstu";
        assert_eq!(cleared(keys), "…, …, …");
    }

    #[test]
    fn what_helps_is_kept() {
        let text = "WAWebConnModel#Conn (Error: Requiring unknown module \"WAWebConnModel\".), IQErrorRateOverlimit 429, /var/lib/pairing-host/profiles/one";
        assert_eq!(cleared(text), text);
        assert_eq!(cleared(&"long ".repeat(1000)).chars().last(), Some('…'));
    }
}
