//! The one place where transactions are committed, so that a test can have each of
//! them fail: before, when nothing is done yet, and after, when all is done but
//! nobody has been told.

use pairing_core::store::StoreError;
use pairing_failpoints::failpoint;
use sqlx::{Database, Transaction};

use crate::error::from_sqlx;

/// A commit's two failpoints.
pub(crate) struct Step {
    pub(crate) before: &'static str,
    pub(crate) after: &'static str,
}

/// The step of this name.
macro_rules! step {
    ($name:literal) => {
        $crate::committing::Step {
            before: concat!($name, ".before"),
            after: concat!($name, ".after"),
        }
    };
}
pub(crate) use step;

pub(crate) async fn commit<DB: Database>(
    write: Transaction<'_, DB>,
    step: Step,
) -> Result<(), StoreError> {
    failpoint!(step.before, StoreError::Unavailable);
    write.commit().await.map_err(from_sqlx)?;
    failpoint!(step.after, StoreError::Unavailable);
    Ok(())
}
