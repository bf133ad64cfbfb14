//! What the engine reports, on its way to the workflow.

use pairing_core::workflow::{CodeFailureKind, EngineFailureKind, EngineReport};

use super::same_cases;
use crate::bindings::machine as wit;

same_cases!(CodeFailureKind => wit::CodeFailureKind: RateLimited PhoneRefused Refused Timeout
    PasskeyRequired Interrupted Other);
same_cases!(EngineFailureKind => wit::EngineFailureKind: LaunchFailed BrowserExited PageCrashed
    NavigationFailed PageChanged Deadline Other);

impl From<&EngineReport> for wit::EngineEvent {
    fn from(report: &EngineReport) -> Self {
        match report {
            EngineReport::Started => Self::Started,
            EngineReport::Loading { percent } => Self::Loading(*percent),
            EngineReport::QrMade { begins_round } => Self::QrMade(*begins_round),
            EngineReport::QrExpired => Self::QrExpired,
            EngineReport::CodeMade => Self::CodeMade,
            EngineReport::CodeFailed(failure) => Self::CodeFailed(wit::CodeFailure {
                kind: failure.kind.into(),
                message: failure.message.clone(),
            }),
            EngineReport::Authenticated => Self::Authenticated,
            EngineReport::Ready(account) => Self::Ready(account.into()),
            EngineReport::ConnectionLost => Self::ConnectionLost,
            EngineReport::LoggedOut { by_us } => Self::LoggedOut(*by_us),
            EngineReport::Conflict => Self::Conflict,
            EngineReport::ClientOutdated => Self::ClientOutdated,
            EngineReport::Banned { word } => Self::Banned(word.clone()),
            EngineReport::PasskeyRequired => Self::PasskeyRequired,
            EngineReport::Probe { answered } => Self::Probe(*answered),
            EngineReport::Stopped => Self::Stopped,
            EngineReport::Failed(failure) => Self::Failed(wit::EngineFailure {
                kind: failure.kind.into(),
                step: failure.step.clone(),
                message: failure.message.clone(),
            }),
        }
    }
}
