//! Open sockets: what they are fed, and when they are closed.

mod connection;
mod feed;
mod protocol;
mod upgrade;

pub(crate) use feed::Feed;
pub(crate) use upgrade::open_socket;
