//! Webhooks of a real host, judged by the reference library `standardwebhooks` in a
//! Node process that fails in every way.

mod faults;
mod harness;
mod keys;
mod patience;
mod secrecy;
