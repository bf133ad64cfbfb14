//! Stand-ins for tests, beside the traits whose place they take.

mod clock;
mod engine;

pub use clock::FakeClock;
pub use engine::{FakeCall, FakeEngine};
