//! How the workflow ends a command.

use pairing_core::command::{Outcome, RefusalCode};

use super::same_cases;
use crate::bindings::machine as wit;

same_cases!(wit::RefusalCode => RefusalCode: SessionNotReady AlreadyLinked CodeRefused RateLimited
    CodeTimeout PhoneInvalid PasskeyRequired ClientOutdated EngineUnavailable Other);

impl From<wit::Outcome> for Outcome {
    fn from(outcome: wit::Outcome) -> Self {
        match outcome {
            wit::Outcome::Done(sentence) => Self::Done(sentence),
            wit::Outcome::CodeMade => Self::CodeMade,
            wit::Outcome::Refused(refusal) => {
                Self::Refused { code: refusal.code.into(), message: refusal.message }
            }
        }
    }
}
