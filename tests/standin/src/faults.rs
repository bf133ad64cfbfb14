//! Faults on request: what can go wrong, whom it meets and how often.
//! Where each strikes is decided by [`FaultKind::stage`].

use serde::{Deserialize, Serialize};

/// One fault as asked for by a test or the demo page.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// What happens.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Whom it meets; anyone when empty.
    #[serde(default)]
    pub target: Target,
    /// How often it strikes; 0 means until cleared.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// A fault that strikes once, whoever comes first.
    #[must_use]
    pub fn once(kind: FaultKind) -> Self {
        Self { kind, target: Target::default(), times: 1 }
    }

    /// A fault that strikes until it is cleared.
    #[must_use]
    pub fn always(kind: FaultKind) -> Self {
        Self { times: 0, ..Self::once(kind) }
    }

    /// The same fault for one target.
    #[must_use]
    pub fn at(self, target: Target) -> Self {
        Self { target, ..self }
    }
}

/// Whom a fault meets: every field that is given must fit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Target {
    /// Id of a browser profile (`browser` in the state), as `b1`.
    pub browser: Option<String>,
    /// Number of the account: linked in that profile, or asking for a code.
    pub phone_number: Option<String>,
    /// Number of a page's socket (`connection` in the state).
    pub connection: Option<u64>,
}

impl Target {
    /// Everything that happens in one browser profile.
    #[must_use]
    pub fn browser(id: impl Into<String>) -> Self {
        Self { browser: Some(id.into()), ..Self::default() }
    }

    /// Everything that happens to one account.
    #[must_use]
    pub fn phone_number(number: impl Into<String>) -> Self {
        Self { phone_number: Some(number.into()), ..Self::default() }
    }

    pub(crate) fn fits(&self, subject: &Target) -> bool {
        let fits =
            |wanted: &Option<String>, given: &Option<String>| wanted.is_none() || wanted == given;
        fits(&self.browser, &subject.browser)
            && fits(&self.phone_number, &subject.phone_number)
            && (self.connection.is_none() || self.connection == subject.connection)
    }
}

/// The event that a page fires when it is logged out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogoutEvent {
    /// The name since February 2026.
    #[serde(rename = "logout_from_bridge")]
    LogoutFromBridge,
    /// The older name.
    #[serde(rename = "logout")]
    Logout,
    /// No event.
    #[serde(rename = "none")]
    None,
}

/// What happens. JSON: `{"kind": "moduleMissing", "module": "WAWebCmd"}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FaultKind {
    // --- when a page loads
    /// The page's address answers with this HTTP status.
    PageStatus { status: u16 },
    /// The page's address answers only after this time.
    PageSlow { ms: u64 },
    /// A module never registers.
    ModuleMissing { module: String },
    /// A module registers late.
    ModuleLate { module: String, ms: u64 },
    /// A function is gone from its module.
    FunctionMissing { module: String, function: String },
    /// `window.Debug` never appears.
    DebugMissing,
    /// The page loads and nothing ever runs in it.
    NeverBoots,
    /// The unsupported browser page, whatever the user agent.
    UnsupportedBrowser,
    /// Ids have no `_serialized`.
    MinifiedIds,
    /// The page reloads itself this long after it loaded.
    ReloadDuringInjection { ms: u64 },
    /// Frames come and go in the page, and its history changes, again and again.
    RestlessFrames,

    // --- when a page's socket has opened
    /// The server says nothing: the page stays in `OPENING`.
    NeverOpens,
    /// Instead of refs or a login: `PROXYBLOCK`, `TOS_BLOCK`, `DEPRECATED_VERSION`…
    Blocked { state: String },
    /// Each ref lives only this long.
    ShortRefs { ms: u64 },
    /// The page reloads itself this long after its first ref.
    ReloadWhileUnpaired { ms: u64 },
    /// Linked and connected, but never synced.
    NeverReady,
    /// Syncing takes this long.
    SlowSync { ms: u64 },

    // --- when a code is asked for
    /// Refused: 400 (bad request) or 429 (too many).
    CodeRefused { status: u16 },
    /// The answer never comes.
    CodeHangs,
    /// Asking for a linked number's code removes that link.
    CodeRevokesLink,

    // --- when the phone links
    /// The account wants a passkey; the phone's attempt fails.
    PasskeyRequired,
    /// The page reloads itself this long after the phone linked it.
    ReloadAfterLink { ms: u64 },

    // --- at once, to a connected page (or to the next that connects)
    /// The next ref is shown now.
    RotateRef,
    /// `UNPAIRED_IDLE` now.
    RefsRunOut,
    /// The link is used in another place.
    Conflict,
    /// The phone removed the device.
    Logout {
        #[serde(default = "default_logout_event")]
        event: LogoutEvent,
        #[serde(default = "default_navigate")]
        navigate: bool,
    },
    /// The socket is down for this long.
    SocketLost { ms: u64 },
    /// `Socket.state` takes this value.
    SetState { state: String },
    /// The page reloads itself.
    Reload { ms: u64 },
    /// The page's thread is busy this long; 0 for ever.
    Hang { ms: u64 },
    /// The page's thread is busy this long, has a pause, and so on.
    Busy { ms: u64, pause_ms: u64 },
    /// The page's renderer process dies.
    RendererCrash,
    /// The phone's end of the link, with a reason: in the event and in the address
    /// to which the page goes.
    LogoutBecause { reason: String, navigate: bool },
    /// The page removes from `window` what it does not know.
    ForgetsDrivers,
    /// The page writes this on its console, as a line and as an error that nobody caught.
    Says { text: String },
    /// The page shows an element with this `data-testid`.
    Shows { test_id: String },
}

fn default_logout_event() -> LogoutEvent {
    LogoutEvent::LogoutFromBridge
}

fn default_navigate() -> bool {
    true
}

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Load,
    Connect,
    Code,
    Phone,
    Live,
}

impl FaultKind {
    pub(crate) fn stage(&self) -> Stage {
        match self {
            Self::PageStatus { .. }
            | Self::PageSlow { .. }
            | Self::ModuleMissing { .. }
            | Self::ModuleLate { .. }
            | Self::FunctionMissing { .. }
            | Self::DebugMissing
            | Self::NeverBoots
            | Self::UnsupportedBrowser
            | Self::MinifiedIds
            | Self::ReloadDuringInjection { .. }
            | Self::RestlessFrames => Stage::Load,
            Self::NeverOpens
            | Self::Blocked { .. }
            | Self::ShortRefs { .. }
            | Self::ReloadWhileUnpaired { .. }
            | Self::NeverReady
            | Self::SlowSync { .. } => Stage::Connect,
            Self::CodeRefused { .. } | Self::CodeHangs | Self::CodeRevokesLink => Stage::Code,
            Self::PasskeyRequired | Self::ReloadAfterLink { .. } => Stage::Phone,
            Self::RotateRef
            | Self::RefsRunOut
            | Self::Conflict
            | Self::Logout { .. }
            | Self::SocketLost { .. }
            | Self::SetState { .. }
            | Self::Reload { .. }
            | Self::Hang { .. }
            | Self::Busy { .. }
            | Self::RendererCrash
            | Self::LogoutBecause { .. }
            | Self::ForgetsDrivers
            | Self::Says { .. }
            | Self::Shows { .. } => Stage::Live,
        }
    }
}

/// The faults that still wait for their moment.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    next_id: u64,
    list: Vec<(u64, Fault)>,
}

impl Waiting {
    pub(crate) fn add(&mut self, fault: Fault) -> u64 {
        self.next_id += 1;
        self.list.push((self.next_id, fault));
        self.next_id
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    pub(crate) fn list(&self) -> Vec<(u64, Fault)> {
        self.list.clone()
    }

    /// Takes the faults of this stage that meet the subject and that
    /// `applies` to, in the order in which they were asked for.
    pub(crate) fn strike(
        &mut self,
        stage: Stage,
        subject: &Target,
        applies: impl Fn(&FaultKind) -> bool,
    ) -> Vec<FaultKind> {
        let mut struck = Vec::new();
        self.list.retain_mut(|(_, fault)| {
            if fault.kind.stage() != stage || !fault.target.fits(subject) || !applies(&fault.kind) {
                return true;
            }
            struck.push(fault.kind.clone());
            if fault.times == 0 {
                return true;
            }
            fault.times -= 1;
            fault.times > 0
        });
        struck
    }
}
