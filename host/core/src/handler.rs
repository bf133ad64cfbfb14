//! Integrators' event handlers, as the host sees them; mirrors `wit/handler`.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use arrayvec::ArrayString;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    event::{EventData, JournalEvent},
    id::SessionName,
    plugin::PluginError,
    subscription::{SessionAction, SubscriptionId},
};

/// A handler's name, which is its slot's: 1–32 of `a-z 0-9 -`, beginning with a
/// letter, and none of the host's own slots.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HandlerName(ArrayString<32>);

/// A name that is no handler's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` can't name a handler: give 1 to 32 of a-z 0-9 -, a letter first, and none of workflow, \
     qr-renderer, fan-out"
)]
pub struct InvalidHandlerName(pub String);

impl HandlerName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HandlerName {
    type Err = InvalidHandlerName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_good = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(allowed)
            && !["workflow", "qr-renderer", "fan-out"].contains(&text);
        let name = ArrayString::from(text).ok().filter(|_| is_good);
        name.map(Self).ok_or_else(|| InvalidHandlerName(text.chars().take(80).collect()))
    }
}

impl TryFrom<String> for HandlerName {
    type Error = InvalidHandlerName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HandlerName> for String {
    fn from(name: HandlerName) -> Self {
        name.0.to_string()
    }
}

impl fmt::Display for HandlerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HandlerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The kind of the event that stands for events which were given up.
pub const GAP: &str = "gap";

/// An event as a subscriber gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerEvent {
    /// The same event always has the same one: its place in the journal, or
    /// `gap-FROM-TO`.
    pub id: String,
    /// The session it is about.
    pub session: SessionName,
    /// When it was committed.
    pub at: Timestamp,
    /// What happened.
    pub data: EventData,
}

impl From<&JournalEvent> for HandlerEvent {
    fn from(event: &JournalEvent) -> Self {
        let JournalEvent { id, session, at, data } = event;
        Self { id: id.to_string(), session: session.clone(), at: *at, data: data.clone() }
    }
}

/// For which time an event is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When the first one was made.
    pub first_at: Timestamp,
}

/// Why an event was not handled. What a handler says may hold anything: it is
/// for the operator, not for logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// Never try this event again.
    #[error("the handler rejected it: {0}")]
    Reject(String),
    /// Try again; not before `after`, where given.
    #[error("{why}")]
    Retry {
        /// Why.
        why: String,
        /// How long to wait at least.
        after: Option<Duration>,
    },
    /// The receiver is gone: switch the subscription off.
    #[error("the receiver is gone for good: {0}")]
    Gone(String),
    /// The sandbox ended the call; an attempt was made.
    #[error(transparent)]
    Failed(PluginError),
    /// Nothing was tried: the plugin is busy, paused, or there is none. Does not
    /// count as an attempt.
    #[error(transparent)]
    NotCalled(PluginError),
}

impl From<PluginError> for HandleError {
    fn from(error: PluginError) -> Self {
        if error.is_temporary() { Self::NotCalled(error) } else { Self::Failed(error) }
    }
}

/// Hands events to subscribers.
#[async_trait]
pub trait EventHandlers: Send + Sync + 'static {
    /// Hands one event to one subscriber, for the time given. Returns when the
    /// event is handled or the attempt has failed; has a deadline of its own.
    async fn handle(
        &self,
        subscription: &SubscriptionId,
        event: Arc<HandlerEvent>,
        attempt: Attempt,
    ) -> Result<(), HandleError>;
}

/// Why a session did not do what a handler asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionActionError {
    /// There is no such session.
    #[error("there is no such session")]
    NotFound,
    /// The session can't do it now.
    #[error("{0}")]
    Refused(String),
    /// Worth another try.
    #[error("{0}")]
    Unavailable(String),
}

/// What handlers may be allowed to ask of sessions.
#[async_trait]
pub trait SessionActions: Send + Sync + 'static {
    /// Has a session do something; returns when it is done or under way.
    async fn act(
        &self,
        session: &SessionName,
        action: SessionAction,
    ) -> Result<(), SessionActionError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_no_slot_of_the_host_are_handlers() {
        for good in ["a", "webhook", "crm-2", &"z".repeat(32)] {
            assert_eq!(good.parse::<HandlerName>().unwrap().as_str(), good);
        }
        for bad in ["", "2a", "-a", "A", "a_b", "a/b", "workflow", "fan-out", &"z".repeat(33)] {
            assert!(bad.parse::<HandlerName>().is_err(), "{bad}");
        }
    }
}
