//! Sign-in to the console.

pub(super) mod caller;
pub(super) mod login;
mod session;
pub(super) mod setup;

pub(crate) use session::ABSOLUTE;
