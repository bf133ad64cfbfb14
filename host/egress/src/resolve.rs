//! Names to addresses.

use std::{io, net::IpAddr};

use async_trait::async_trait;
use hickory_resolver::{
    TokioResolver,
    config::{LookupIpStrategy, ResolverConfig, ResolverOpts},
    net::runtime::TokioRuntimeProvider,
    system_conf::read_system_conf,
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
    /// `/etc/hosts` is known. Fails if there is no way to ask any of the servers.
    pub fn from_system() -> io::Result<Self> {
        let (config, options) = read_system_conf().unwrap_or_else(|error| {
            tracing::warn!(%error, "no name servers are known: handlers reach addresses and names of /etc/hosts only");
            Default::default()
        });
        Self::new(config, options)
    }

    /// With settings of one's own.
    pub fn new(config: ResolverConfig, mut options: ResolverOpts) -> io::Result<Self> {
        // All addresses of a name must be known, to judge them.
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        let runtime = TokioRuntimeProvider::default();
        let builder = TokioResolver::builder_with_config(config, runtime).with_options(options);
        Ok(Self(builder.build().map_err(io::Error::other)?))
    }
}

#[async_trait]
impl Resolve for DnsResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = self.0.lookup_ip(name).await.map_err(io::Error::other)?;
        let mut addresses: Vec<IpAddr> = found.iter().collect();
        // More networks reach IPv4 than IPv6.
        addresses.sort_by_key(IpAddr::is_ipv6);
        Ok(addresses)
    }
}
