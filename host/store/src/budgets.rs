//! Budgets of pairing codes. Written once for both databases.

use std::time::Duration;

use async_trait::async_trait;
use pairing_core::{
    budget::{Budget, BudgetStore, Spent},
    clock::Timestamp,
    store::StoreError,
};

use crate::{
    committing::{commit, step},
    error::from_sqlx,
    postgres::PostgresStore,
    rows,
    sqlite::SqliteStore,
};

/// Taken first, and held until the attempt is counted.
const TAKE_TURN: &str = "UPDATE pairing_attempt_turn SET taken = taken + 1";

/// Of budget `$1` after `$2` until `$3`, the newest `$4`.
const NEWEST: &str = "
    SELECT at FROM pairing_attempts WHERE budget = $1 AND at > $2 AND at <= $3
    ORDER BY at DESC LIMIT $4";

const COUNT: &str = "INSERT INTO pairing_attempts (budget, at) VALUES ($1, $2)";

/// Those before `$1`.
const FORGET: &str = "DELETE FROM pairing_attempts WHERE at < $1";

/// Attempts are kept for so much longer than their window: a clock that jumped
/// ahead and is set back again finds them.
const KEPT_BEYOND: Duration = Duration::from_secs(24 * 3600);

/// What the attempts that count, newest first, leave of a budget: so many after
/// one more, or none until then.
fn left(budget: &Budget, newest: &[Timestamp], now: Timestamp) -> Result<u32, Timestamp> {
    let spent = u32::try_from(newest.len()).unwrap_or(u32::MAX);
    match budget.limit.checked_sub(spent) {
        // As many as there may be: the oldest of them has to leave the window.
        None | Some(0) => Err(newest.last().unwrap_or(&now).after(budget.window)),
        Some(free) => Ok(free - 1),
    }
}

/// Of several refusals the one that takes longest; else what is left of each.
fn decide(budgets: Vec<Result<u32, Timestamp>>) -> Spent {
    let refusals =
        budgets.iter().enumerate().filter_map(|(budget, left)| Some((budget, left.err()?)));
    match refusals.max_by_key(|(_, until)| *until) {
        Some((budget, until)) => Spent::UsedUp { budget, until },
        None => Spent::Counted(budgets.into_iter().filter_map(Result::ok).collect()),
    }
}

macro_rules! budget_store {
    ($store:ty) => {
        #[async_trait]
        impl BudgetStore for $store {
            async fn spend(&self, budgets: &[Budget], now: Timestamp) -> Result<Spent, StoreError> {
                self.within(async {
                    let mut write = self.writing().await?;
                    sqlx::query(TAKE_TURN).execute(&mut *write).await.map_err(from_sqlx)?;
                    let mut each = Vec::with_capacity(budgets.len());
                    for budget in budgets {
                        let newest = sqlx::query(NEWEST)
                            .bind(&budget.key)
                            .bind(rows::time(now.before(budget.window)))
                            .bind(rows::time(now.after(budget.window)))
                            .bind(i64::from(budget.limit))
                            .fetch_all(&mut *write)
                            .await
                            .map_err(from_sqlx)?
                            .iter()
                            .map(|row| rows::count("pairing_attempts", "at", row).map(Timestamp))
                            .collect::<Result<Vec<_>, _>>()?;
                        each.push(left(budget, &newest, now));
                    }
                    let spent = decide(each);
                    if let Spent::UsedUp { .. } = spent {
                        write.rollback().await.map_err(from_sqlx)?;
                        return Ok(spent);
                    }
                    for budget in budgets {
                        sqlx::query(COUNT)
                            .bind(&budget.key)
                            .bind(rows::time(now))
                            .execute(&mut *write)
                            .await
                            .map_err(from_sqlx)?;
                    }
                    let longest = budgets.iter().map(|budget| budget.window).max();
                    let kept = longest.unwrap_or_default() + KEPT_BEYOND;
                    sqlx::query(FORGET)
                        .bind(rows::time(now.before(kept)))
                        .execute(&mut *write)
                        .await
                        .map_err(from_sqlx)?;
                    commit(write, step!("store.budget.spend")).await?;
                    Ok(spent)
                })
                .await
            }
        }
    };
}

budget_store!(SqliteStore);
budget_store!(PostgresStore);
