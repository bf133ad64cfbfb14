//! The worlds of `wit/` against those that were released.
#![expect(clippy::unwrap_used, reason = "a test may end where it can't go on")]

mod compare;
mod mutations;
mod released;
mod sources;
mod text;
