//! Stand-ins for tests, beside the traits whose place they take.

mod clock;
mod delivery_store;
mod engine;
mod page_driver;
mod plugins;
mod workflow;

pub use clock::FakeClock;
pub use delivery_store::FakeDeliveryStore;
pub use engine::{FakeCall, FakeEngine};
pub use page_driver::FakePageDriver;
pub use plugins::{FakeFanOut, FakeRenderer};
pub use workflow::{FakeWorkflow, WorkflowFault};
