//! What the host has to say about the page, told by the sessions' journal.

use async_trait::async_trait;
use pairing_core::{event::EventData, store::StoreError};
use pairing_page_hooks::Announce;
use pairing_sessions::Sessions;

/// Tells all who read events of the sessions.
pub struct ToReadersOf(pub Sessions);

#[async_trait]
impl Announce for ToReadersOf {
    async fn announce(&self, event: EventData) -> Result<(), StoreError> {
        self.0.announce(&[event]).await
    }
}
