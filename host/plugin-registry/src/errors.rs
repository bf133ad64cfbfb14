//! Why the registry did not do what it was asked.

use pairing_core::{plugin::Slot, store::StoreError, subscription::SubscriptionId};
use pairing_plugin_runtime::Refusal;

/// Why the registry did not do what it was asked. What was active stays so.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The slot knows no such version.
    #[error(
        "slot `{slot}` knows no version `{digest}`; `pairing-host plugin push` sends one in",
        slot = .slot.as_str()
    )]
    UnknownVersion {
        /// Which slot.
        slot: Slot,
        /// What was asked for.
        digest: String,
    },
    /// The beginning of a digest fits several versions, or is too short to trust.
    #[error("`{digest}` begins {count} of the digests of slot `{slot}`; give more digits, at least six", slot = .slot.as_str())]
    Ambiguous {
        /// Which slot.
        slot: Slot,
        /// What was asked for.
        digest: String,
        /// How many it fits.
        count: usize,
    },
    /// A gate refused the component. The message says what to do.
    #[error("refused at the {gate}: {message}")]
    Refused {
        /// Which gate: `size`, `signature`, `world`, `compile`, `probe`, `grants` or
        /// `replay`.
        gate: &'static str,
        /// What is wrong and how to repair it.
        message: String,
    },
    /// The handler has no such subscription.
    #[error(
        "handler `{handler}` has no subscription `{name}`; `pairing-host plugin grant {handler} \
         --as {name}` makes one",
        handler = .0.handler, name = .0.name
    )]
    UnknownSubscription(SubscriptionId),
    /// What a subscription is to be can't be used; all mistakes, each with its
    /// repair.
    #[error("the subscription can't be used: {}", .0.join("; "))]
    Subscription(Vec<String>),
    /// It makes no sense in the slot's present state.
    #[error("{0}")]
    Impossible(String),
    /// Another change of the slot was first.
    #[error("slot `{slot}` was changed by somebody else meanwhile; look at it and try again", slot = .slot.as_str())]
    Overtaken {
        /// Which slot.
        slot: Slot,
    },
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The host itself could not do it.
    #[error("the host could not do it: {0}")]
    Host(String),
}

impl RegistryError {
    /// What the runtime refuses, under the name of the gate where it does.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        let gate = match &refusal {
            Refusal::Compiler(why) => return Self::Host(why.clone()),
            Refusal::Compile(_)
            | Refusal::CompileTime { .. }
            | Refusal::CompileMemory { .. }
            | Refusal::Memory { .. }
            | Refusal::Parts { .. } => "compile",
            Refusal::Start(_) | Refusal::Describe(_) | Refusal::Description(_) => "probe",
            _ => "world",
        };
        Self::Refused { gate, message: refusal.to_string() }
    }
}

/// Why the registry could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file of the folder can't be read.
    #[error("could not read {path}: {error}")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// Nothing can fill a slot.
    #[error("slot `{slot}` can't be filled with {with}: {error}", slot = .slot.as_str())]
    Unfilled {
        /// Which slot.
        slot: Slot,
        /// What was tried.
        with: String,
        /// Why it failed.
        error: Box<RegistryError>,
    },
    /// The key that seals secrets is none.
    #[error("the key that seals subscriptions' secrets must have 32 bytes")]
    Key,
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}
