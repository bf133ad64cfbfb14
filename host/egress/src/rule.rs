//! One grant, ready to judge by.

use std::{collections::BTreeSet, net::IpAddr};

use http::Method;
use ipnet::IpNet;
use pairing_core::subscription::HttpGrant;
use url::Host;

use crate::target::{Origin, Target};

/// A grant that was found good.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) origin: Origin,
    path: String,
    methods: Option<BTreeSet<String>>,
    pub(crate) networks: Vec<IpNet>,
}

/// Is it a grant that can be meant? Fails with what is wrong and how to repair it.
pub fn check_grant(grant: &HttpGrant) -> Result<(), String> {
    Rule::new(grant).map(drop)
}

impl Rule {
    pub(crate) fn new(grant: &HttpGrant) -> Result<Self, String> {
        let HttpGrant { url, methods, networks } = grant;
        // A password must not get into a message.
        let wrong = |what: &str| {
            let mut shown = url.clone();
            // Both fail only for URLs that can't hold either.
            let _ = shown.set_username("");
            let _ = shown.set_password(None);
            shown.set_query(None);
            Err(format!("the HTTP grant `{shown}` can't be used: {what}"))
        };
        let target = match Target::of_url(url) {
            Ok(target) => target,
            Err(what) => return wrong(what),
        };
        if url.query().is_some() || url.fragment().is_some() {
            return wrong("a grant ends with the path: leave out `?…` and `#…`");
        }
        if target.is_ambiguous() {
            return wrong("the path hides `.` or `..`: write it out");
        }
        if let Host::Ipv4(address) = target.origin.host
            && !is_unicast(address.into())
        {
            return wrong("no single machine has this address");
        }
        if let Host::Ipv6(address) = target.origin.host
            && !is_unicast(address.into())
        {
            return wrong("no single machine has this address");
        }
        if let Some(methods) = methods {
            if methods.is_empty() {
                return wrong("no method is named: name some, or leave `methods` out for all");
            }
            for method in methods {
                match Method::from_bytes(method.as_bytes()) {
                    Ok(known) if is_forbidden(&known) => {
                        return wrong(&format!("{method} is never sent: leave it out"));
                    }
                    Ok(_) if *method == method.to_ascii_uppercase() => {}
                    _ => return wrong("methods are written in capitals, such as `POST`"),
                }
            }
        }
        if networks.iter().any(|network| network.prefix_len() == 0) {
            return wrong("a network of all addresses is no limit: name the one that is meant");
        }
        let Target { origin, path, .. } = target;
        Ok(Self { origin, path, methods: methods.clone(), networks: networks.clone() })
    }

    /// Does it allow this, as far as can be told before the name is looked up?
    pub(crate) fn allows(&self, method: &Method, target: &Target) -> bool {
        self.origin == target.origin
            && self.methods.as_ref().is_none_or(|methods| methods.contains(method.as_str()))
            && !is_forbidden(method)
            && self.covers(target)
    }

    /// A prefix ends where a segment ends.
    fn covers(&self, target: &Target) -> bool {
        if self.path == "/" {
            return true;
        }
        let begins = match target.path.strip_prefix(&self.path) {
            Some(rest) => self.path.ends_with('/') || rest.is_empty() || rest.starts_with('/'),
            None => false,
        };
        begins && !target.is_ambiguous()
    }
}

/// `CONNECT` opens a tunnel, and the answer to `TRACE` repeats the secrets that
/// were filled in.
fn is_forbidden(method: &Method) -> bool {
    matches!(*method, Method::CONNECT | Method::TRACE)
}

fn is_unicast(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !address.is_unspecified() && !address.is_multicast() && !is_broadcast
}
