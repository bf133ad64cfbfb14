//! What all plugins have in common: how they are named and how they fail.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::handler::{HandlerName, InvalidHandlerName};

/// SHA-256 of a component's file, as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PluginDigest(pub std::sync::Arc<str>);

impl PluginError {
    /// Nothing was tried, and the same call may succeed later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Paused { .. })
    }

    /// The kind, such as `trapped`: for logs and metrics, which must not hold
    /// what a guest says.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Trapped { .. } => "trapped",
            Self::Deadline { .. } => "deadline",
            Self::Memory { .. } => "memory",
            Self::Fuel { .. } => "fuel",
            Self::TooLarge { .. } => "too-large",
            Self::Refused { .. } => "refused",
            Self::Busy { .. } => "busy",
            Self::Paused { .. } => "paused",
        }
    }
}

fn hope(retry_after: &Option<Duration>) -> String {
    match retry_after {
        Some(time) => format!("it is tried again in {time:.0?}"),
        None => "it is quarantined until another version is activated".into(),
    }
}

impl PluginDigest {
    /// The first twelve digits: enough for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for PluginDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place that a plugin fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Slot {
    /// Decides what sessions do.
    Workflow,
    /// Draws QR codes.
    QrRenderer,
    /// Hands events on.
    FanOut,
    /// Reacts to events. There are any number of these, and the host works without.
    Handler(HandlerName),
}

impl Slot {
    /// Those that must be filled.
    pub const OWN: [Self; 3] = [Self::Workflow, Self::QrRenderer, Self::FanOut];

    /// The slot's name, such as `qr-renderer`; a handler's slot is called like it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Workflow => "workflow",
            Self::QrRenderer => "qr-renderer",
            Self::FanOut => "fan-out",
            Self::Handler(name) => name.as_str(),
        }
    }

    /// For metrics.
    pub fn label(&self) -> String {
        self.as_str().to_owned()
    }

    /// The handler whose slot it is.
    pub fn handler(&self) -> Option<HandlerName> {
        if let Self::Handler(name) = self { Some(*name) } else { None }
    }
}

impl FromStr for Slot {
    type Err = InvalidHandlerName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match Self::OWN.into_iter().find(|slot| slot.as_str() == name) {
            Some(slot) => Ok(slot),
            None => name.parse().map(Self::Handler),
        }
    }
}

impl TryFrom<String> for Slot {
    type Error = InvalidHandlerName;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<Slot> for String {
    fn from(slot: Slot) -> Self {
        slot.label()
    }
}

/// The plugin that fills a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginInfo {
    /// Which slot.
    pub slot: Slot,
    /// Which component.
    pub digest: PluginDigest,
    /// Its own name.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// Where it came from: `embedded`, `folder` or `upload`.
    pub source: String,
}

/// Why a call of a plugin gave no answer. The call is over and harmed nothing
/// else; messages carry no paths of the host and no secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// The guest trapped (panicked).
    #[error("plugin `{slot}` trapped: {message}", slot = .slot.as_str())]
    Trapped {
        /// Which slot.
        slot: Slot,
        /// What wasmtime says.
        message: String,
    },
    /// The guest used up its time.
    #[error("plugin `{slot}` did not answer within {budget:?}", slot = .slot.as_str())]
    Deadline {
        /// Which slot.
        slot: Slot,
        /// What it was given.
        budget: Duration,
    },
    /// The guest asked for more memory than it may have.
    #[error("plugin `{slot}` wanted more than {limit_mib} MiB of memory", slot = .slot.as_str())]
    Memory {
        /// Which slot.
        slot: Slot,
        /// The cap over all its memories and tables.
        limit_mib: u64,
    },
    /// The guest used up its fuel.
    #[error("plugin `{slot}` used up its fuel of {fuel} units", slot = .slot.as_str())]
    Fuel {
        /// Which slot.
        slot: Slot,
        /// What it was given.
        fuel: u64,
    },
    /// Input or output is larger than allowed.
    #[error("plugin `{slot}`: {what} has {size} bytes or entries, at most {limit} are allowed", slot = .slot.as_str())]
    TooLarge {
        /// Which slot.
        slot: Slot,
        /// What is too large.
        what: &'static str,
        /// How large it is.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The guest answered with an error of its own.
    #[error("plugin `{slot}` refused: {message}", slot = .slot.as_str())]
    Refused {
        /// Which slot.
        slot: Slot,
        /// What it said.
        message: String,
    },
    /// No guest thread became free in time. Nothing was tried: try again.
    #[error("plugin `{slot}` is busy, try again", slot = .slot.as_str())]
    Busy {
        /// Which slot.
        slot: Slot,
    },
    /// It has failed so often that it is not called for a while, or at all.
    #[error("plugin `{slot}` is not called because it failed again and again; {}", hope(.retry_after), slot = .slot.as_str())]
    Paused {
        /// Which slot.
        slot: Slot,
        /// When it is tried again. None: not until another version is activated.
        retry_after: Option<Duration>,
    },
}
