//! Which component fills which slot: the way in, the swap, the way back. Over a real
//! database, with real components.

mod canary;
mod harness;
mod history;
mod kept_code;
mod memory;
mod pins;
mod played_sessions;
mod quarantine;
mod racing_hosts;
mod refusals;
mod replay_gate;
mod restart;
mod schemas;
mod signatures;
mod stored_bytes;
mod watched_folder;
mod way_back;
