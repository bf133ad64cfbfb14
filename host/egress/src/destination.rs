//! One origin that a permit may reach: where it leads, and connections kept.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;
use tokio::sync::Semaphore;
use url::Host;

use crate::{
    address::is_allowed, connection::Connection, error::EgressError, resolve::Resolve,
    target::Origin,
};

/// Connections to one destination.
const CONNECTIONS: usize = 8;

pub(crate) struct Destination {
    pub(crate) origin: Origin,
    networks: Vec<IpNet>,
    pub(crate) slots: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Destination {
    /// `networks` are those of all grants for this origin: connections are shared
    /// among them.
    pub(crate) fn new(origin: Origin, networks: Vec<IpNet>) -> Self {
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        Self { origin, networks, slots, idle: Mutex::default() }
    }

    /// Where to dial, best first. If one address of the answer is not allowed, none
    /// is: who mixes them means no good.
    pub(crate) async fn judged_addresses(
        &self,
        resolver: &dyn Resolve,
    ) -> Result<Vec<SocketAddr>, EgressError> {
        let addresses: Vec<IpAddr> = match &self.origin.host {
            // Granted by name, so there is nothing to judge.
            Host::Ipv4(address) => vec![(*address).into()],
            Host::Ipv6(address) => vec![(*address).into()],
            Host::Domain(name) if name == "localhost" => {
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            }
            Host::Domain(name) => {
                let found = resolver.resolve(name).await.map_err(|error| {
                    tracing::debug!(%name, %error, "a handler's destination could not be looked up");
                    EgressError::Dns
                })?;
                let refused = found.iter().find(|address| !is_allowed(**address, &self.networks));
                if let Some(address) = refused {
                    tracing::debug!(%name, %address, "a handler's destination leads to a network that was not granted");
                    return Err(EgressError::Denied);
                }
                found
            }
        };
        if addresses.is_empty() {
            return Err(EgressError::Dns);
        }
        Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, self.origin.port)).collect())
    }

    /// A connection that was used before and may be used again.
    pub(crate) fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(Connection::is_fresh);
        idle.pop()
    }

    /// Keeps a connection for the next request.
    pub(crate) fn put_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(Connection::is_fresh);
        if idle.len() < CONNECTIONS {
            idle.push(connection);
        }
    }
}
