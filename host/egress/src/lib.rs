//! The way out: requests of handlers go to granted hosts, at judged addresses,
//! and nowhere else.
//!
//! A URL is parsed once, and what was parsed is what is judged, dialled and sent.
//! A name is resolved once for each connection, every address of the answer is
//! judged, and one of those is dialled. Redirects are answers like any other;
//! there is no proxy.

mod address;
mod answer;
mod connection;
mod destination;
mod dial;
mod egress;
mod error;
mod headers;
mod mask;
mod permit;
mod resolve;
mod rule;
mod secrets;
mod target;
mod upload;

pub use address::is_public;
pub use dial::{Dial, Stream, TcpDialer};
pub use egress::{Answer, Egress, EgressConfig, Timeouts};
pub use error::EgressError;
pub use permit::Permit;
pub use resolve::{DnsResolver, Resolve};
pub use rule::check_grant;
