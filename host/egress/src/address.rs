//! Which addresses are on the public internet.
//!
//! Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>) and the IPv6
//! Global Unicast allocations. Where a registry says that a special range is
//! globally reachable (anycast of AS112, PCP, TURN), it is left out all the same:
//! no receiver of events lives there.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const NOT_PUBLIC_4: [Ipv4Net; 20] = [
    v4([0, 0, 0, 0], 8),  // this network: RFC 791; reaches the host itself on Linux
    v4([10, 0, 0, 0], 8), // private: RFC 1918
    v4([100, 64, 0, 0], 10), // carrier-grade NAT: RFC 6598; Alibaba's metadata
    v4([127, 0, 0, 0], 8), // loopback: RFC 1122
    v4([168, 63, 129, 16], 32), // Azure's host agent, from within any virtual machine
    v4([169, 254, 0, 0], 16), // link-local: RFC 3927; most clouds' metadata
    v4([172, 16, 0, 0], 12), // private: RFC 1918
    v4([192, 0, 0, 0], 24), // protocol assignments: RFC 6890; Oracle's metadata
    v4([192, 0, 2, 0], 24), // documentation: RFC 5737
    v4([192, 31, 196, 0], 24), // AS112: RFC 7535
    v4([192, 52, 193, 0], 24), // AMT: RFC 7450
    v4([192, 88, 99, 0], 24), // 6to4 relay anycast: RFC 7526
    v4([192, 168, 0, 0], 16), // private: RFC 1918
    v4([192, 175, 48, 0], 24), // AS112: RFC 7534
    v4([198, 18, 0, 0], 15), // benchmarking: RFC 2544
    v4([198, 51, 100, 0], 24), // documentation: RFC 5737
    v4([203, 0, 113, 0], 24), // documentation: RFC 5737
    v4([224, 0, 0, 0], 4), // multicast: RFC 5771
    v4([240, 0, 0, 0], 4), // reserved: RFC 1112
    v4([255, 255, 255, 255], 32), // broadcast: RFC 8190; within the last, named for the reader
];

/// All of IPv6 that was ever given out. Outside lie `::`, `::1`, v4-compatible
/// (`::/96`), v4-mapped (`::ffff:0:0/96`), NAT64 (`64:ff9b::/96` and
/// `64:ff9b:1::/48`), discard (`100::/64`), SRv6 (`5f00::/16`), unique local
/// (`fc00::/7`), link-local (`fe80::/10`), site-local (`fec0::/10`) and multicast
/// (`ff00::/8`).
const GLOBAL_6: Ipv6Net = v6([0x2000, 0, 0, 0], 3);

const NOT_PUBLIC_6: [Ipv6Net; 5] = [
    // Protocol assignments: RFC 2928. Teredo (2001::/32), benchmarking (2001:2::/48)
    // and both kinds of ORCHID (2001:10::/28, 2001:20::/28) are among them.
    v6([0x2001, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0], 32),     // documentation: RFC 3849
    v6([0x2002, 0, 0, 0], 16),         // 6to4: RFC 3056, an IPv4 address inside
    v6([0x2620, 0x4f, 0x8000, 0], 48), // AS112: RFC 7534
    v6([0x3fff, 0, 0, 0], 20),         // documentation: RFC 9637
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(std::net::Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c, d]: [u16; 4], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix)
}

/// Is it a unicast address of the public internet?
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_6.contains(&address) && !NOT_PUBLIC_6.iter().any(|net| net.contains(&address))
        }
    }
}

/// May a name lead there, if these networks were granted beside the public
/// internet?
pub(crate) fn is_allowed(address: IpAddr, networks: &[IpNet]) -> bool {
    is_public(address) || networks.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last before and the first after each network. (What is within is in
    /// `tests/egress/corpus.rs`.)
    #[test]
    fn neighbours_of_special_networks_are_public() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2000::",
            "2000:ffff::",
            "2001:200::",
            "2001:db7:ffff::",
            "2001:db9::",
            "2001:ffff::",
            "2003::",
            "2620:4f:7fff::",
            "2620:4f:8001::",
            "2606:4700::1111",
            "3ffe:ffff::",
            "3fff:1000::",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
