//! Names to addresses.

use std::{io, net::IpAddr};

use async_trait::async_trait;
use hickory_resolver::{
    TokioResolver,
    config::{LookupIpStrategy, ResolverConfig},
    name_server::TokioConnectionProvider,
};

/// Looks names up.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of a name, in the order in which to try them.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the name servers of `/etc/resolv.conf`, after a look into `/etc/hosts`;
/// both are read once. Not `getaddrinfo`, because that holds a thread until it is
/// done, and handlers choose whom to wait for.
#[derive(Debug)]
pub struct DnsResolver(TokioResolver);

impl DnsResolver {
    /// With the system's settings. Without any (no `/etc/resolv.conf`), only
    /// `/etc/hosts` is known.
    pub fn from_system() -> Self {
        let mut builder = TokioResolver::builder_tokio().unwrap_or_else(|error| {
            tracing::warn!(%error, "no name servers are known; handlers reach none but addresses and /etc/hosts");
            let none = ResolverConfig::new();
            TokioResolver::builder_with_config(none, TokioConnectionProvider::default())
        });
        builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        Self(builder.build())
    }

    /// With settings of one's own.
    pub fn new(config: ResolverConfig) -> Self {
        let mut builder =
            TokioResolver::builder_with_config(config, TokioConnectionProvider::default());
        builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        Self(builder.build())
    }
}

#[async_trait]
impl Resolve for DnsResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = self.0.lookup_ip(name).await?;
        let mut addresses: Vec<IpAddr> = found.iter().collect();
        // More networks reach IPv4 than IPv6.
        addresses.sort_by_key(IpAddr::is_ipv6);
        Ok(addresses)
    }
}
