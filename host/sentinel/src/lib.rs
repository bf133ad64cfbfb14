//! One small process beside each browser, which ends everything of a session
//! when it or the host dies.
//!
//! ```text
//! host ──control socket──┐ (order and renewals down; address, answers, exit status up)
//!  │                     │
//!  └─ outer              │   waits, holds the profile's lock, passes the end on
//!      └─ inner ─────────┘   PID 1 of a namespace of its own; offers the WebSocket
//!          └─ browser        unprivileged; debugged by a pipe (fds 3 and 4) alone
//!              └─ zygotes, renderers, …
//! ```
//!
//! Outer and inner are one program (`pairing-host sentinel`), forked once, since
//! who asks for a PID namespace does not enter it: its next child does.
//!
//! Who ends whom:
//!
//! | what ends | what follows |
//! |---|---|
//! | the browser | inner tells its status and ends; what the browser left in the namespace dies with inner |
//! | inner (`kill -9`, out of memory) | the kernel kills all of the namespace; outer ends |
//! | outer (`kill -9`) | the kernel kills inner (its parent-death signal), and so the namespace |
//! | the host | the control socket closes: inner asks the browser to close, and ends all after 900 ms |
//! | the host's renewals (it is frozen) | the browser is asked to close 6 s before the deadline, and all ends at it |
//! | inner's answers (it is frozen) | the host kills outer after three of them are missing |
//! | the handle in the host (dropped) | the host has outer kill inner |
//!
//! The deadline is counted from when the last renewal was *sent*, by a clock that
//! goes on while the machine sleeps. Outer holds the profile's lock until the whole
//! namespace is gone, so that no second browser gets the profile before.
//!
//! Only the host can debug the browser: there is no debugging port, and the
//! WebSocket takes one connection on loopback, whose path is a secret of 128 bits
//! that goes through the control socket alone.
//!
//! In the namespace are an own `/proc` and an own `/dev/shm`, so neither processes
//! nor shared memory nor mounts outlive it. As root the host needs nothing for
//! this; as another user the namespaces are those of a user namespace. Where the
//! kernel refuses ([`Isolation::ProcessGroup`]), outer and inner adopt orphans
//! and kill whatever is below them; only when both are killed at the same moment
//! can a process outlive them, which the next start on that profile ends.

mod boot_clock;
mod browser;
mod descendants;
mod door;
mod host;
mod inner;
mod isolation;
mod memory;
mod outer;
mod patience;
mod pipe;
mod wire;

pub use host::{Launch, Sentinel, SentinelProgram};
pub use isolation::Isolation;
pub use memory::{MemoryGroup, MemoryLimits};
pub use outer::run;
pub use wire::Browser;
