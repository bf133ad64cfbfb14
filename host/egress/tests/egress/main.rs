//! The broker against real listeners, scripted peers and random grants.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod corpus;
mod grants;
mod kept;
mod metrics;
mod peers;
mod proxy;
mod quotas;
mod rebinding;
mod receivers;
mod redirects;
mod secrets;
mod tls;
