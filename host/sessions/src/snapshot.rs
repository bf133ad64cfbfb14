//! What readers see of a session: the committed row, served from memory, and the
//! code that is live now.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use pairing_core::{
    clock::Timestamp,
    id::SessionName,
    renderer::Image,
    session::{CodeKind, SessionRecord, ShownCode, View},
};
use secrecy::SecretString;

use crate::{
    browser_slots::{BrowserSlots, QueuePlace},
    live_code::LiveCode,
};

/// Where a session's task puts its snapshot, and all others read it. None: the
/// session does not exist (yet).
pub(crate) type SharedSnapshot = Arc<ArcSwapOption<SessionSnapshot>>;

/// A session as last committed. Immutable; a new one takes its place.
#[derive(Clone)]
pub struct SessionSnapshot {
    /// Its name.
    pub name: SessionName,
    /// What the world sees. Codes: see the functions below, which know of expiry.
    pub view: View,
    /// When the session was first used.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    pub(crate) code: Option<LiveCode>,
    slots: BrowserSlots,
}

/// A drawn QR code.
pub struct QrImage {
    /// The picture.
    pub image: Image,
    /// Counts the session's codes, from 1.
    pub sequence: u32,
    /// From then on it must not be shown.
    pub expires_at: Timestamp,
}

impl SessionSnapshot {
    pub(crate) fn new(
        record: &SessionRecord,
        code: Option<LiveCode>,
        slots: &BrowserSlots,
    ) -> Self {
        Self {
            name: record.name.clone(),
            view: record.view.clone(),
            created_at: record.created_at,
            updated_at: record.updated_at,
            code,
            slots: slots.clone(),
        }
    }

    /// Where the session stands now, if it waits for its browser.
    pub fn queue(&self) -> Option<QueuePlace> {
        self.slots.place(&self.name)
    }

    /// The QR code's `data:image/png` URL, while it may be shown.
    pub fn qr_data_url(&self, now: Timestamp) -> Option<Arc<str>> {
        self.code.as_ref()?.text(CodeKind::Qr, now)
    }

    /// The pairing code's eight characters, while they may be shown.
    pub fn pairing_code(&self, now: Timestamp) -> Option<Arc<str>> {
        self.code.as_ref()?.text(CodeKind::PairingCode, now)
    }

    /// What is shown now, without the code itself.
    pub fn shown(&self, now: Timestamp) -> Option<ShownCode> {
        let code = self.code.as_ref()?;
        Some(code.shown).filter(|shown| now < shown.expires_at)
    }

    /// The number of the latest code; 0 before the first.
    pub fn sequence(&self) -> u32 {
        self.view.shown.map_or(0, |shown| shown.sequence)
    }

    /// What the QR code says, while it may be shown.
    pub(crate) fn qr_payload(&self, now: Timestamp) -> Option<(SecretString, ShownCode)> {
        let shown = self.shown(now).filter(|shown| shown.kind == CodeKind::Qr)?;
        let payload = self.code.as_ref()?.payload.clone()?;
        Some((payload, shown))
    }
}
