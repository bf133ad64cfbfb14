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

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str, methods: Option<&[&str]>, networks: &[&str]) -> Result<(), String> {
        check_grant(&HttpGrant {
            url: url.parse().unwrap(),
            methods: methods.map(|all| all.iter().map(|&one| one.to_owned()).collect()),
            networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
        })
    }

    #[test]
    fn grants_that_can_be_meant_are_good() {
        for url in [
            "https://api.example.com",
            "https://api.example.com/v1/hooks",
            "http://bücher.example:8080/",
            "http://127.0.0.1:9000/",
            "http://[::1]:9000/",
            "http://localhost:9000/",
            "https://receiver/",
        ] {
            assert_eq!(checked(url, None, &[]), Ok(()), "{url}");
        }
        let methods = Some(&["POST", "PUT", "PURGE"][..]);
        assert_eq!(checked("https://a.example/", methods, &["10.0.0.0/8", "::1/128"]), Ok(()));
    }

    #[test]
    fn other_grants_are_refused_with_what_to_do() {
        for (url, what) in [
            ("ftp://a.example/", "http or https"),
            ("https://user:sesame@a.example/", "user name or password"),
            ("https://a.example/?key=sesame", "leave out"),
            ("https://a.example/#x", "leave out"),
            ("https://*.example/", "without wildcards"),
            ("https://a.example:0/", "port 0"),
            ("https://a.example/v1/..%2fv2", "write it out"),
            ("http://0.0.0.0/", "no single machine"),
            ("http://255.255.255.255/", "no single machine"),
            ("http://224.0.0.1/", "no single machine"),
            ("http://[::]/", "no single machine"),
            ("http://[ff02::1]/", "no single machine"),
        ] {
            let error = checked(url, None, &[]).unwrap_err();
            assert!(error.contains(what), "{url}: {error}");
            assert!(!error.contains("sesame"), "{url}: {error}");
        }
        let of_methods = |methods: &[&str]| checked("https://a.example/", Some(methods), &[]);
        for methods in [&[][..], &["post"], &["TRACE"], &["CONNECT"], &["GET ", "PUT"]] {
            assert!(of_methods(methods).is_err(), "{methods:?}");
        }
        for network in ["0.0.0.0/0", "::/0"] {
            assert!(checked("https://a.example/", None, &[network]).is_err(), "{network}");
        }
    }

    #[test]
    fn a_path_is_granted_up_to_where_a_segment_ends() {
        let allows = |granted: &str, asked: &str| {
            let grant = HttpGrant {
                url: format!("https://a.example{granted}").parse().unwrap(),
                methods: None,
                networks: Vec::new(),
            };
            let target = Target::parse(&format!("https://a.example{asked}")).unwrap();
            Rule::new(&grant).unwrap().allows(&Method::GET, &target)
        };
        for (granted, asked) in [
            ("/", "/anything/../at%2f..%2fall"),
            ("/v1", "/v1"),
            ("/v1", "/v1/"),
            ("/v1", "/v1/a?b"),
            ("/v1/", "/v1/"),
            ("/v1/", "/v1/a"),
            ("/v1", "/v2/../v1/a"),
        ] {
            assert!(allows(granted, asked), "{granted} {asked}");
        }
        for (granted, asked) in [
            ("/v1", "/"),
            ("/v1", "/v10"),
            ("/v1", "/V1"),
            ("/v1", "/%761"),
            ("/v1/", "/v1"),
            ("/v1", "/v1/../v2"),
            ("/v1", "/v1/%2e%2e/v2"),
            ("/v1", "/v1/..%2fv2"),
            ("/v1", "/v1/..;/v2"),
            ("/v1", "//v1"),
        ] {
            assert!(!allows(granted, asked), "{granted} {asked}");
        }
    }
}
