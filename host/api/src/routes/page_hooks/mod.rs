//! The knowledge of WhatsApp's page: which file is in use, what is known of it, how
//! another one comes in, and whether the page still is what it says.

pub(super) mod change;
pub(super) mod push;
pub(super) mod show;
