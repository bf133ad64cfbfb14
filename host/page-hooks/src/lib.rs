//! Which knowledge of WhatsApp's page is in use: files that are let in, tried,
//! swapped and taken back while the host runs, and a canary that looks whether the
//! page still is what they say.
//!
//! ```text
//! push ─► checked ─► tried on a scratch page ─► kept ─► activate ─► page driver
//!                                                          ▲
//! canary ─► every part there? ─► alert, gauge, log    rollback
//! ```
//!
//! The database says what is in use; where it says nothing it is the file that came
//! with the host.

mod canary;
mod changing;
mod drift;
mod errors;
mod registry;

pub use canary::{Announce, Look};
pub use changing::Pushed;
pub use errors::PageHooksError;
pub use registry::{PageHooks, PageHooksConfig, PageHooksParts, PageHooksStatus};
