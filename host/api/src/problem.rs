//! What callers see when something is wrong: RFC 9457 problems with a stable
//! `type`, the bare `code`, and `message`, which FinBot's client reads.
//!
//! The lower layers name no status; this file is the one mapping.

use std::time::Duration;

use axum::{
    Json,
    extract::rejection::{JsonRejection, QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use pairing_core::{
    command::RefusalCode, id::InvalidSessionName, phone::InvalidPhone, plugin::PluginError,
    store::StoreError,
};
use pairing_page_hooks::PageHooksError;
use pairing_plugin_registry::RegistryError;
use pairing_sessions::{CommandError, EventsError};
use serde::Serialize;
use utoipa::ToSchema;

/// Codes that callers act on. The `type` is a URN that ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "`title` says what each means")]
pub enum Code {
    SessionNotFound,
    SessionNotReady,
    SessionNameInvalid,
    AlreadyLinked,
    PhoneInvalid,
    CodeRefused,
    CodeTimeout,
    RateLimited,
    PasskeyRequired,
    ClientOutdated,
    EngineUnavailable,
    PluginFailed,
    StoreUnavailable,
    StorageFull,
    CommandTimeout,
    BodyInvalid,
    BodyTooLarge,
    QueryInvalid,
    MethodNotAllowed,
    NotFound,
    Unauthorized,
    Forbidden,
    LoginFailed,
    PasswordWeak,
    UsernameInvalid,
    SetupDone,
    RefreshReused,
    HostNotAllowed,
    OriginNotAllowed,
    CursorExpired,
    MediaTypeUnsupported,
    HeaderInvalid,
    PluginSlotUnknown,
    PluginVersionUnknown,
    PluginDigestInvalid,
    PluginRefused,
    PluginConflict,
    HandlerNameInvalid,
    SubscriptionNotFound,
    SubscriptionNameInvalid,
    SubscriptionInvalid,
    DeadLetterNotFound,
    EvidenceNotFound,
    PageHooksInvalid,
    PageHooksUntried,
    PageHooksVersionUnknown,
    PageHooksConflict,
    Internal,
}

impl Code {
    fn status_and_title(self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::SessionNotFound => (S::NOT_FOUND, "There is no session of this name"),
            Self::SessionNotReady => (S::CONFLICT, "The session is not ready for this"),
            Self::SessionNameInvalid => (S::BAD_REQUEST, "This can't be a session's name"),
            Self::AlreadyLinked => (S::CONFLICT, "The session is linked already"),
            Self::PhoneInvalid => (S::BAD_REQUEST, "This can't be a phone number"),
            Self::CodeRefused => (S::BAD_GATEWAY, "WhatsApp refused to make a code"),
            Self::CodeTimeout => (S::GATEWAY_TIMEOUT, "WhatsApp made no code in time"),
            Self::RateLimited => (S::TOO_MANY_REQUESTS, "Too many requests"),
            Self::PasskeyRequired => (S::CONFLICT, "The account demands a passkey"),
            Self::ClientOutdated => (S::CONFLICT, "WhatsApp refuses this version of its page"),
            Self::EngineUnavailable => (S::SERVICE_UNAVAILABLE, "The browser can't do this now"),
            Self::PluginFailed => (S::SERVICE_UNAVAILABLE, "A plugin failed"),
            Self::StoreUnavailable => (S::SERVICE_UNAVAILABLE, "The database is not available"),
            Self::StorageFull => (S::INSUFFICIENT_STORAGE, "The host's disk is full"),
            Self::CommandTimeout => (S::GATEWAY_TIMEOUT, "The session did not reply in time"),
            Self::BodyInvalid => (S::BAD_REQUEST, "The request's body can't be read"),
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "The request's body is too large"),
            Self::QueryInvalid => (S::BAD_REQUEST, "The request's query can't be read"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "This address has no such method"),
            Self::NotFound => (S::NOT_FOUND, "There is nothing at this address"),
            Self::Unauthorized => (S::UNAUTHORIZED, "A valid token is needed"),
            Self::Forbidden => (S::FORBIDDEN, "The token lacks the admin role"),
            Self::LoginFailed => (S::UNAUTHORIZED, "Name or password is wrong"),
            Self::PasswordWeak => (S::BAD_REQUEST, "The password is too weak"),
            Self::UsernameInvalid => (S::BAD_REQUEST, "This can't be a user's name"),
            Self::SetupDone => (S::NOT_FOUND, "There is nothing to set up"),
            Self::RefreshReused => (S::UNAUTHORIZED, "The sign-in has ended"),
            Self::HostNotAllowed => (S::MISDIRECTED_REQUEST, "This host has another name"),
            Self::OriginNotAllowed => (S::FORBIDDEN, "Pages of this origin may not do this"),
            Self::CursorExpired => (S::GONE, "These events are no longer kept"),
            Self::MediaTypeUnsupported => {
                (S::UNSUPPORTED_MEDIA_TYPE, "The request's body is of another kind")
            }
            Self::HeaderInvalid => (S::BAD_REQUEST, "A header of the request can't be read"),
            Self::PluginSlotUnknown => (S::NOT_FOUND, "There is no slot of this name"),
            Self::PluginVersionUnknown => (S::NOT_FOUND, "The slot knows no such version"),
            Self::PluginDigestInvalid => (S::BAD_REQUEST, "This does not say which version"),
            Self::PluginRefused => (S::UNPROCESSABLE_ENTITY, "A gate refused the component"),
            Self::PluginConflict => (S::CONFLICT, "The slot's present state does not allow this"),
            Self::HandlerNameInvalid => (S::BAD_REQUEST, "This can't be a handler's name"),
            Self::SubscriptionNotFound => {
                (S::NOT_FOUND, "The handler has no subscription of this name")
            }
            Self::SubscriptionNameInvalid => {
                (S::BAD_REQUEST, "This can't be a subscription's name")
            }
            Self::SubscriptionInvalid => (S::BAD_REQUEST, "The subscription can't be used"),
            Self::DeadLetterNotFound => {
                (S::NOT_FOUND, "The subscription has given up no such event")
            }
            Self::EvidenceNotFound => (S::NOT_FOUND, "Nothing was seen there"),
            Self::PageHooksInvalid => (S::UNPROCESSABLE_ENTITY, "The file can't be used"),
            Self::PageHooksUntried => (S::SERVICE_UNAVAILABLE, "The page can't be looked at now"),
            Self::PageHooksVersionUnknown => (S::NOT_FOUND, "There is no such file of page hooks"),
            Self::PageHooksConflict => (S::CONFLICT, "What is in use does not allow this"),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "Something went wrong in the host"),
        }
    }

    fn text(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|code| code.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// The body of every error.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemBody {
    /// Names this kind of problem; a URI that leads nowhere.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for all problems of this kind.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The code, to act on.
    pub code: Code,
    /// What is wrong here, and how to repair it.
    pub detail: String,
    /// The same as `detail`: FinBot's client shows it.
    pub message: String,
    /// Seconds after which to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Of a refused component: the gate that refused it, such as `signature`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<&'static str>,
}

/// A problem on its way out.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: String,
    retry_after: Option<Duration>,
    gate: Option<&'static str>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

/// What handlers return.
pub(crate) type Answer<T> = Result<T, Problem>;

impl Problem {
    /// A problem with what is wrong here, and how to repair it.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after: None, gate: None, headers: Vec::new() }
    }

    /// Says when to try again.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The one body of every 401 of the API: which part of a token was wrong
    /// helps attackers only; it is in the log.
    pub fn unauthorized() -> Self {
        Self::new(Code::Unauthorized, "send a valid token as `Authorization: Bearer …`")
            .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub(crate) fn body(&self) -> ProblemBody {
        let (status, title) = self.code.status_and_title();
        ProblemBody {
            kind: format!("urn:pairing-console:problem:{}", self.code.text()),
            title,
            status: status.as_u16(),
            code: self.code,
            detail: self.detail.clone(),
            message: self.detail.clone(),
            retry_after: self.retry_after.map(whole_seconds),
            gate: self.gate,
        }
    }
}

/// Rounded up: who waits that long is let in.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.body();
        let status = self.code.status_and_title().0;
        let mut response = (status, Json(&body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = body.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}

impl From<InvalidSessionName> for Problem {
    fn from(error: InvalidSessionName) -> Self {
        Self::new(Code::SessionNameInvalid, error.to_string())
    }
}

impl From<InvalidPhone> for Problem {
    fn from(error: InvalidPhone) -> Self {
        Self::new(Code::PhoneInvalid, error.to_string())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(Code::BodyTooLarge, "at most 1 MiB is taken")
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::new(
                Code::BodyInvalid,
                "send JSON, with the header `Content-Type: application/json`",
            ),
            _ => Self::new(Code::BodyInvalid, rejection.body_text()),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(Code::QueryInvalid, rejection.body_text())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the database failed a request");
        match error {
            StoreError::Unavailable(_) => {
                Self::new(Code::StoreUnavailable, "the database is away; try again in a moment")
                    .after(Duration::from_secs(2))
            }
            _ => Self::new(Code::Internal, "the database refused; the log says why"),
        }
    }
}

impl From<PluginError> for Problem {
    fn from(error: PluginError) -> Self {
        // What a guest says may hold a phone number.
        tracing::error!(kind = error.kind(), "a plugin failed a request");
        let problem = Self::new(Code::PluginFailed, error.to_string());
        match error {
            // Until another version is activated there is no use in trying.
            PluginError::Paused { retry_after: None, .. } => problem,
            PluginError::Paused { retry_after: Some(wait), .. } => problem.after(wait),
            _ => problem.after(Duration::from_secs(1)),
        }
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        let text = error.to_string();
        match error {
            RegistryError::UnknownVersion { .. } => Self::new(Code::PluginVersionUnknown, text),
            RegistryError::Ambiguous { .. } => Self::new(Code::PluginDigestInvalid, text),
            RegistryError::Refused { gate, .. } => {
                Self { gate: Some(gate), ..Self::new(Code::PluginRefused, text) }
            }
            RegistryError::UnknownSubscription(_) => Self::new(Code::SubscriptionNotFound, text),
            RegistryError::Subscription(_) => Self::new(Code::SubscriptionInvalid, text),
            RegistryError::Impossible(_) | RegistryError::Overtaken { .. } => {
                Self::new(Code::PluginConflict, text)
            }
            RegistryError::Store(error) => error.into(),
            RegistryError::Host(error) => {
                // It may name paths.
                tracing::error!(error, "the plugin registry failed a request");
                Self::new(Code::Internal, "the host could not do it; the log says why")
            }
        }
    }
}

impl From<PageHooksError> for Problem {
    fn from(error: PageHooksError) -> Self {
        let text = error.to_string();
        match error {
            PageHooksError::Invalid(_) | PageHooksError::NotGood(_) => {
                Self::new(Code::PageHooksInvalid, text)
            }
            PageHooksError::Untried(_) => {
                Self::new(Code::PageHooksUntried, text).after(Duration::from_secs(60))
            }
            PageHooksError::UnknownVersion(_) | PageHooksError::Ambiguous { .. } => {
                Self::new(Code::PageHooksVersionUnknown, text)
            }
            PageHooksError::InUse(_)
            | PageHooksError::NothingBefore
            | PageHooksError::Overtaken => Self::new(Code::PageHooksConflict, text),
            PageHooksError::Store(error) => error.into(),
        }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let text = error.to_string();
        match error {
            CommandError::NotFound => Self::new(Code::SessionNotFound, text),
            CommandError::Refused { code, message } => Self::from_refusal(code, message),
            CommandError::Plugin(error) => error.into(),
            CommandError::Store(error) => error.into(),
            CommandError::Busy => {
                Self::new(Code::EngineUnavailable, text).after(Duration::from_secs(1))
            }
            CommandError::TimedOut => {
                Self::new(Code::CommandTimeout, text).after(Duration::from_secs(5))
            }
            CommandError::Interrupted => {
                Self::new(Code::EngineUnavailable, text).after(Duration::from_secs(2))
            }
        }
    }
}

impl Problem {
    fn from_refusal(code: RefusalCode, message: String) -> Self {
        let code = match code {
            RefusalCode::SessionNotReady => Code::SessionNotReady,
            RefusalCode::AlreadyLinked => Code::AlreadyLinked,
            RefusalCode::CodeRefused => Code::CodeRefused,
            RefusalCode::RateLimited => {
                // WhatsApp says no number; its own limits last minutes to hours.
                return Self::new(Code::RateLimited, message).after(Duration::from_secs(600));
            }
            RefusalCode::CodeTimeout => Code::CodeTimeout,
            RefusalCode::PhoneInvalid => Code::PhoneInvalid,
            RefusalCode::PasskeyRequired => Code::PasskeyRequired,
            RefusalCode::ClientOutdated => Code::ClientOutdated,
            RefusalCode::EngineUnavailable => Code::EngineUnavailable,
            RefusalCode::Other => Code::SessionNotReady,
        };
        Self::new(code, message)
    }
}

impl From<EventsError> for Problem {
    fn from(error: EventsError) -> Self {
        match error {
            EventsError::CursorExpired { .. } => Self::new(Code::CursorExpired, error.to_string()),
            EventsError::Store(error) => error.into(),
            EventsError::Plugin(error) => error.into(),
        }
    }
}

pub(crate) async fn not_found(uri: http::Uri) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("there is nothing at {}; /openapi lists what there is", uri.path()),
    )
}

pub(crate) async fn method_not_allowed(method: http::Method, uri: http::Uri) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("{} has no {method}", uri.path()))
}

#[cfg(test)]
mod tests {
    use pairing_core::plugin::Slot;

    use super::*;

    #[test]
    fn a_paused_plugin_says_when_it_is_tried_again_if_it_is() {
        let slot = Slot::Workflow;
        let after = |wait: Option<u64>| {
            let retry_after = wait.map(Duration::from_millis);
            let body = Problem::from(PluginError::Paused { slot, retry_after }).body();
            (body.status, body.code, body.retry_after)
        };
        assert_eq!(after(Some(2_100)), (503, Code::PluginFailed, Some(3)));
        assert_eq!(after(None), (503, Code::PluginFailed, None));
        let busy = Problem::from(PluginError::Busy { slot }).body();
        assert_eq!((busy.status, busy.retry_after), (503, Some(1)));
    }

    #[test]
    fn what_the_registry_refuses_has_a_status_and_a_gate_and_no_path() {
        let slot = Slot::FanOut;
        let digest = || "0be7d2".to_owned();
        let refused = RegistryError::Refused { gate: "probe", message: "it traps".into() };
        let store = StoreError::Unavailable("connection to /run/postgres refused".into());
        for (error, status, code, gate) in [
            (
                RegistryError::UnknownVersion { slot, digest: digest() },
                404,
                Code::PluginVersionUnknown,
                None,
            ),
            (
                RegistryError::Ambiguous { slot, digest: digest(), count: 2 },
                400,
                Code::PluginDigestInvalid,
                None,
            ),
            (refused, 422, Code::PluginRefused, Some("probe")),
            (RegistryError::Impossible("it is active".into()), 409, Code::PluginConflict, None),
            (RegistryError::Overtaken { slot }, 409, Code::PluginConflict, None),
            (RegistryError::Store(store), 503, Code::StoreUnavailable, None),
            (
                RegistryError::Host("could not run /usr/bin/pairing-host".into()),
                500,
                Code::Internal,
                None,
            ),
        ] {
            let body = Problem::from(error).body();
            assert_eq!((body.status, body.code, body.gate), (status, code, gate));
            assert!(
                !body.detail.contains("/usr") && !body.detail.contains("/run"),
                "{}",
                body.detail
            );
        }
    }
}
