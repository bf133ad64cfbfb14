//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use http::request::Parts;

use crate::{rate_limit::address_key, state::Api};

/// The other end of the connection; put into each request by the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The caller's address: the peer's, or what a trusted proxy says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client(pub(crate) IpAddr);

impl Client {
    /// Tells callers apart, for limits.
    pub(crate) fn key(self) -> String {
        address_key(self.0)
    }
}

impl Api {
    /// Who is at the other end.
    pub(crate) fn client(&self, parts: &Parts) -> Client {
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
        let peer = peer.unwrap_or(IpAddr::from([127, 0, 0, 1]));
        let is_trusted = |address: IpAddr| {
            self.config.trusted_proxies.iter().any(|proxy| proxy.contains(&address))
        };
        if !is_trusted(peer) {
            return Client(peer);
        }
        // From the right: each trusted proxy has added the one that it saw.
        let forwarded = parts.headers.get_all("x-forwarded-for").iter();
        let said: Vec<&str> = forwarded
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        let addresses = said.iter().rev().map_while(|text| text.trim().parse::<IpAddr>().ok());
        let mut last = peer;
        for address in addresses {
            last = address;
            if !is_trusted(address) {
                break;
            }
        }
        Client(last)
    }
}
