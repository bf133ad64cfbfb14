//! Events between commit and subscriber, with the secrets that the journal must
//! not know.

use pairing_core::{
    clock::Timestamp,
    event::{CodeNotice, Cursor, EventData, JournalEvent},
    session::CodeKind,
};

use crate::{live_code::LiveCode, snapshot::SessionSnapshot};

/// Stands for "not from the journal", whose places begin with 1.
pub(crate) const NO_PLACE: Cursor = Cursor(0);

/// A committed event on its way.
pub(crate) struct Committed {
    pub(crate) event: JournalEvent,
    /// The code that the event announces.
    pub(crate) code: Option<LiveCode>,
}

impl Committed {
    /// `code` is what the session shows now.
    pub(crate) fn new(event: JournalEvent, code: Option<&LiveCode>) -> Self {
        let announced = match &event.data {
            EventData::QrCode(notice) | EventData::PairingCode(notice) => Some(notice.sequence),
            _ => None,
        };
        let code = code.filter(|code| Some(code.shown.sequence) == announced).cloned();
        Self { event, code }
    }

    /// The code that a session shows now, as an event.
    pub(crate) fn shown_by(session: &SessionSnapshot, now: Timestamp) -> Option<Self> {
        let code = session.code.clone().filter(|code| now < code.shown.expires_at)?;
        let notice =
            CodeNotice { sequence: code.shown.sequence, expires_at: code.shown.expires_at };
        let data = match code.shown.kind {
            CodeKind::Qr => EventData::QrCode(notice),
            CodeKind::PairingCode => EventData::PairingCode(notice),
        };
        let event = JournalEvent { id: NO_PLACE, session: session.name.clone(), at: now, data };
        Some(Self { event, code: Some(code) })
    }

    /// The same for readers that had it without its code.
    pub(crate) fn once_more(mut self) -> Self {
        self.event.id = NO_PLACE;
        self
    }
}
