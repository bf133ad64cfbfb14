//! How much room is left where the host writes, and what that forbids.

use serde::{Deserialize, Serialize};

/// From plenty to next to nothing; each forbids what the one before forbids, too.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Space {
    /// Nothing is forbidden.
    #[default]
    Plenty,
    /// Nothing is forbidden yet, but somebody should know.
    Low,
    /// No browser starts: a profile takes room, and a profile that can't be written
    /// may be lost.
    NoStarts,
    /// Nothing is changed, so that what must be written down still can be.
    ReadOnly,
}

/// Follows the room that is left.
pub type SpaceWatch = tokio::sync::watch::Receiver<Space>;

impl Space {
    /// On the wire, such as `no_starts`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plenty => "plenty",
            Self::Low => "low",
            Self::NoStarts => "no_starts",
            Self::ReadOnly => "read_only",
        }
    }
}
