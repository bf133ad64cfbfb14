//! What may be granted, one file for each interface.

mod clock;
mod config;
mod kv;
mod log;
mod random;
mod secrets;
mod session;
