//! The whole engine over a journal in memory (and once in SQLite), with handlers that do what the test
//! says. Schedules go by a clock that the test moves; tokio's time stands still
//! while somebody has something to do.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod changes;
mod dead_letters;
mod failures;
mod gaps;
mod order;
mod outage;
mod randomised;
mod sqlite;
mod throughput;
mod world;
