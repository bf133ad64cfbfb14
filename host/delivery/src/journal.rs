//! What is read: pages of the journal and of single sessions. Reading is repeated
//! until the database is there.

use std::{collections::BTreeSet, time::Duration};

use pairing_core::{
    delivery_store::{DeliveryJournal, Gap},
    event::{Cursor, JournalEvent},
    id::SessionName,
    store::StoreError,
    subscription::{SubscriptionId, SubscriptionSettings},
};

/// Entries that are read at once.
pub(crate) const PAGE: u32 = 512;
/// Entries of one session that are read at once, and kept in memory.
pub(crate) const LANE_PAGE: u32 = 64;

/// First and longest wait for a database that does not answer.
const WAIT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A stretch of the journal.
pub(crate) struct Page {
    pub(crate) events: Vec<JournalEvent>,
    /// There is no more, or none of interest.
    pub(crate) at_end: bool,
    /// What the journal has forgotten before it.
    pub(crate) expired: Option<Expired>,
}

/// What was forgotten unread.
pub(crate) struct Expired {
    pub(crate) gap: Gap,
    /// Who may have lost events.
    pub(crate) sessions: BTreeSet<SessionName>,
}

/// Does it until it is done.
pub(crate) async fn until_done<T, F>(
    subscription: &SubscriptionId,
    mut action: impl FnMut() -> F,
) -> T
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut wait = WAIT.0;
    loop {
        match action().await {
            Ok(done) => return done,
            Err(error) => {
                tracing::warn!(%subscription, %error, "deliveries wait for the database");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(WAIT.1);
            }
        }
    }
}

/// The entries after a place.
pub(crate) async fn read(
    store: &dyn DeliveryJournal,
    settings: &SubscriptionSettings,
    after: Cursor,
) -> Result<Page, StoreError> {
    let events = store.read(after, PAGE).await?;
    let expired = match events.first() {
        // Places have no gaps, so nothing is missing.
        Some(first) if first.id.0 > after.0 + 1 => {
            let gap = Gap { from: Cursor(after.0 + 1), to: Cursor(first.id.0 - 1) };
            Some(Expired { gap, sessions: sessions_before(store, settings, first).await? })
        }
        _ => None,
    };
    Ok(Page { at_end: events.len() < PAGE as usize, events, expired })
}

/// Sessions that may have had events before this one. The journal can't tell any
/// more: these are all that there were by then and still are, or that still have
/// events.
async fn sessions_before(
    store: &dyn DeliveryJournal,
    settings: &SubscriptionSettings,
    first: &JournalEvent,
) -> Result<BTreeSet<SessionName>, StoreError> {
    let sessions = store.sessions().await?.into_iter();
    let old = sessions.filter(|session| session.created_at <= first.at).map(|session| session.name);
    let is_named = |session: &SessionName| {
        settings.sessions.as_ref().is_none_or(|named| named.contains(session))
    };
    let mut before: BTreeSet<_> = old.filter(is_named).collect();
    let mut after = Cursor(first.id.0 - 1);
    loop {
        let events = store.read(after, PAGE).await?;
        let Some(last) = events.last() else { return Ok(before) };
        after = last.id;
        let wanted = events.iter().filter(|event| settings.wants(event));
        before.extend(wanted.map(|event| event.session.clone()));
    }
}

/// One session's entries after a place.
pub(crate) async fn read_session(
    store: &dyn DeliveryJournal,
    session: &SessionName,
    after: Cursor,
) -> Result<Page, StoreError> {
    let events = store.session_events(session, after, LANE_PAGE).await?;
    // Asked afterwards: what goes between the two questions is noticed.
    let (oldest, _) = store.bounds().await?;
    let expired = (oldest.0 > after.0 + 1).then(|| Expired {
        gap: Gap { from: Cursor(after.0 + 1), to: Cursor(oldest.0 - 1) },
        sessions: BTreeSet::new(),
    });
    Ok(Page { at_end: events.len() < LANE_PAGE as usize, events, expired })
}
