//! A pairing code: how the page's answer to the request for one is read.

use pairing_core::workflow::{CodeFailure, CodeFailureKind};
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    failure::cleared,
    page_hooks::{CodeErrors, ErrorSigns},
};

/// As many characters as a code has.
const LENGTH: usize = 8;

/// The code in the page's answer.
pub(crate) fn read_code(answer: &Value) -> Result<SecretString, CodeFailure> {
    match answer.as_str() {
        Some(code) if code.len() == LENGTH && code.chars().all(|c| c.is_ascii_alphanumeric()) => {
            Ok(code.to_ascii_uppercase().into())
        }
        // Not quoted: it may be a code in another form.
        _ => Err(CodeFailure {
            kind: CodeFailureKind::Other,
            message: "the page's answer has not the form of a code".into(),
        }),
    }
}

/// Why the page refused, from all that its error carries.
pub(crate) fn read_refusal(error: &Value, signs: &CodeErrors) -> CodeFailure {
    let mut numbers = Vec::new();
    let mut words = Vec::new();
    gather(error, &mut numbers, &mut words);
    let text = words.join(" ").to_lowercase();
    let shows = |signs: &ErrorSigns| {
        signs.numbers.iter().any(|number| numbers.contains(number))
            || signs.words.iter().any(|word| text.contains(&word.to_lowercase()))
    };
    let kind = if shows(&signs.rate_limited) {
        CodeFailureKind::RateLimited
    } else if shows(&signs.passkey) {
        CodeFailureKind::PasskeyRequired
    } else if text.contains("notunpaired") || shows(&signs.refused) {
        CodeFailureKind::Refused
    } else if shows(&signs.phone_refused) {
        CodeFailureKind::PhoneRefused
    } else {
        CodeFailureKind::Other
    };
    words.extend(numbers.iter().map(u64::to_string));
    CodeFailure { kind, message: cleared(&words.join(", ")) }
}

/// Every number and text of the error, however deep.
fn gather(value: &Value, numbers: &mut Vec<u64>, words: &mut Vec<String>) {
    match value {
        Value::Number(number) => numbers.extend(number.as_u64()),
        Value::String(text) => {
            numbers.extend(text.parse::<u64>());
            if !text.is_empty() && !words.contains(text) {
                words.push(text.clone());
            }
        }
        Value::Array(list) => list.iter().for_each(|one| gather(one, numbers, words)),
        Value::Object(fields) => fields.values().for_each(|one| gather(one, numbers, words)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::page_hooks::PageHooks;

    fn kind(error: Value) -> CodeFailureKind {
        read_refusal(&error, &PageHooks::embedded().code_errors).kind
    }

    #[test]
    fn refusals_are_told_apart_by_what_is_nested_in_them() {
        use CodeFailureKind::*;
        let nested = |code: u32, text: &str| json!({"name": "b", "message": "", "type": {"name": "X", "value": {"text": text, "code": code}}});
        assert_eq!(kind(nested(429, "rate-overlimit")), RateLimited);
        assert_eq!(kind(json!({"type": {"name": "IQErrorRateOverlimit"}})), RateLimited);
        assert_eq!(kind(nested(400, "bad-request")), PhoneRefused);
        assert_eq!(kind(nested(403, "forbidden")), Refused);
        assert_eq!(
            kind(json!({"name": "NotUnpaired", "message": "the page is CONNECTED"})),
            Refused
        );
        assert_eq!(
            kind(json!({"name": "PartMissing", "message": "WAWebAltDeviceLinkingApi#x"})),
            Other
        );
        assert_eq!(kind(json!({"message": "shortcake prologue"})), PasskeyRequired);
    }

    #[test]
    fn the_message_keeps_words_and_drops_the_number() {
        let failure = read_refusal(
            &json!({"name": "E", "message": "no +4915112345678", "code": 429}),
            &PageHooks::embedded().code_errors,
        );
        assert!(
            failure.message.contains("429") && !failure.message.contains("4915112345678"),
            "{failure}"
        );
    }

    #[test]
    fn only_eight_letters_or_digits_are_a_code() {
        use secrecy::ExposeSecret;
        assert_eq!(read_code(&json!("abcd1234")).unwrap().expose_secret(), "ABCD1234");
        for other in [json!(null), json!("ABCD123"), json!({"code": "ABCD1234"}), json!("ABCD 123")]
        {
            assert!(read_code(&other).is_err());
        }
    }
}
