//! How a version does, as people and probes see it.

use std::{collections::BTreeMap, time::Duration};

use pairing_core::plugin::PluginInfo;

/// A version that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionReport {
    /// Which.
    pub info: PluginInfo,
    /// How it does.
    pub health: Health,
}

/// How a version does since it was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// May it be called?
    pub breaker: BreakerState,
    /// Calls that were tried.
    pub calls: u64,
    /// Of these, those that failed, by kind, such as `trapped`.
    pub errors: BTreeMap<&'static str, u64>,
    /// Of the last calls 99 % took no longer; none before there were some.
    pub p99: Option<Duration>,
    /// What the last failure was.
    pub last_error: Option<String>,
}

/// May a version be called?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Yes.
    Closed,
    /// Not for a while.
    Open,
    /// One call is let through to see.
    HalfOpen,
    /// Not until it is activated anew.
    Quarantined,
}

impl BreakerState {
    /// The word for it, such as `half-open`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::Quarantined => "quarantined",
        }
    }
}
