//! Budgets for what WhatsApp punishes: pairing codes. They are counted in the
//! database, so that a restart does not forget them.

use std::time::Duration;

use async_trait::async_trait;

use crate::{clock::Timestamp, store::StoreError};

/// One budget that an attempt is counted against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Whose, such as `session:one`. A phone number stands in it only as a keyed hash.
    pub key: String,
    /// So many attempts…
    pub limit: u32,
    /// …in any stretch of time as long as this.
    pub window: Duration,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spent {
    /// It was counted against all budgets; so much is left of each, in their order.
    Counted(Vec<u32>),
    /// At least one is used up, and nothing was counted.
    UsedUp {
        /// Which: the one that takes longest, by its place in the list.
        budget: usize,
        /// When it has room again.
        until: Timestamp,
    },
}

/// The budgets.
#[async_trait]
pub trait BudgetStore: Send + Sync + 'static {
    /// Counts an attempt at `now` against all of these budgets, or none of them, in
    /// one transaction. What a clock that was set back left in the future, beyond a
    /// window from now, does not count; rows that no window reaches are removed.
    async fn spend(&self, budgets: &[Budget], now: Timestamp) -> Result<Spent, StoreError>;
}
