//! Routing of events, as the host sees it; mirrors `wit/events`.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    event::JournalEvent,
    id::SessionName,
    plugin::{PluginError, PluginInfo},
};

/// Stands in a delivery's body where the QR image's data URL belongs.
pub const QR_CODE_PLACEHOLDER: &str = "{{qr-code}}";
/// Stands in a delivery's body where the pairing code belongs.
pub const PAIRING_CODE_PLACEHOLDER: &str = "{{pairing-code}}";

/// How a subscription is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Socket.IO: the body is the one argument, flat.
    SocketIo,
    /// Plain WebSocket: the body is a frame.
    WebSocket,
    /// Server-sent events and journal pages: the body is the event.
    EventStream,
}

/// What a subscription asks for. Equal interests are routed once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Interest {
    /// How it is served.
    pub transport: Transport,
    /// Sessions; none means all.
    pub sessions: Option<BTreeSet<SessionName>>,
    /// Kinds of events; none means all.
    pub types: Option<BTreeSet<String>>,
}

/// One thing to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Index into the interests that were given.
    pub interest: usize,
    /// The event's name on this transport.
    pub name: String,
    /// JSON, perhaps with the placeholders above as string values.
    pub body: String,
}

/// Decides which event goes to which subscription, in which shape.
#[async_trait]
pub trait FanOut: Send + Sync + 'static {
    /// The component that routes now.
    fn info(&self) -> PluginInfo;

    /// Routes one event: at most one delivery for each interest. A call that is
    /// cut off is made once more on a fresh instance before it fails.
    async fn route(
        &self,
        event: &JournalEvent,
        interests: &[Arc<Interest>],
    ) -> Result<Vec<Delivery>, PluginError>;
}
