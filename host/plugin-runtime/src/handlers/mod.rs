//! Event handlers: guests with effects. They have an engine of their own, and
//! threads of their own that may wait; what they reach of the world is what
//! their subscription was granted, and for the rest an empty WASI.

mod authority;
mod call;
mod engine;
mod grants;
mod hollow;
mod host;
mod imports;
mod link;
mod load;
mod logs;
mod metered;
mod outgoing;
mod slot;
mod state;

pub use authority::Authority;
pub(crate) use engine::{PARTS, effects};
pub(crate) use host::HandlerHost;
pub use host::HandlerParts;
pub(crate) use load::{HandlerWorld, INTERFACE, load};
pub use logs::{GuestLogs, LogLevel, LogLine};
pub(crate) use slot::HandlerSlot;
