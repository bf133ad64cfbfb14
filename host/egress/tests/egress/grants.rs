//! Random grants and requests: what is sent is what a simple oracle says. The
//! oracle looks at the parts of which both were made, and parses nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::Request;
use http_body_util::Full;
use pairing_core::subscription::HttpGrant;
use pairing_egress::{Egress, EgressError, Permit};
use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::TestRunner};
use tokio::runtime::Runtime;

use crate::peers::{Script, answer_once, egress_to, permit_with, send};

const HOSTS: [&str; 4] = ["a.example", "b.example", "b.a.example", "93.184.215.14"];
const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];
const SEGMENTS: [&str; 4] = ["v1", "v10", "hook", "v"];
const SECRETS: [&str; 3] = ["one", "two", "three"];

/// Where, in parts.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    host: &'static str,
    /// None is the scheme's.
    port: Option<u16>,
    segments: Vec<&'static str>,
    /// `/` after the last segment.
    is_folder: bool,
}

#[derive(Debug, Clone)]
struct Granted {
    place: Place,
    methods: Option<Vec<&'static str>>,
}

#[derive(Debug, Clone)]
struct Asked {
    place: Place,
    method: &'static str,
    secret: Option<&'static str>,
    /// Write the same in another way.
    upper: bool,
    dot: bool,
    detour: bool,
    says_port: bool,
}

fn place() -> impl Strategy<Value = Place> {
    let port = select(vec![None, Some(80), Some(8080)]);
    (select(&HOSTS[..]), port, vec(select(&SEGMENTS[..]), 0..3), any::<bool>())
        .prop_map(|(host, port, segments, is_folder)| Place { host, port, segments, is_folder })
}

fn granted() -> impl Strategy<Value = Granted> {
    let methods = option::of(vec(select(&METHODS[..]), 1..3));
    (place(), methods).prop_map(|(place, methods)| Granted { place, methods })
}

fn asked() -> impl Strategy<Value = Asked> {
    let secret = option::of(select(&SECRETS[..]));
    (place(), select(&METHODS[..]), secret, any::<[bool; 4]>()).prop_map(
        |(place, method, secret, [upper, dot, detour, says_port])| Asked {
            place,
            method,
            secret,
            upper,
            dot,
            detour,
            says_port,
        },
    )
}

impl Place {
    fn path(&self) -> String {
        let mut path: String = self.segments.iter().map(|segment| format!("/{segment}")).collect();
        if self.is_folder || path.is_empty() {
            path.push('/');
        }
        path
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(80)
    }

    fn url(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("http://{}{port}{}", self.host, self.path())
    }

    /// The oracle's.
    fn covers(&self, other: &Self) -> bool {
        let starts = other.segments.starts_with(&self.segments);
        let is_longer = other.segments.len() > self.segments.len();
        // A folder does not cover its own name without the slash.
        let is_inside = !self.is_folder || is_longer || other.is_folder || self.segments.is_empty();
        self.host == other.host && self.port() == other.port() && starts && is_inside
    }
}

impl Asked {
    fn url(&self) -> String {
        let mut host = self.place.host.to_owned();
        if self.upper {
            host = host.to_uppercase();
        }
        if self.dot {
            host.push('.');
        }
        let port = match self.place.port {
            None if self.says_port => ":80".to_owned(),
            port => port.map(|port| format!(":{port}")).unwrap_or_default(),
        };
        let detour = if self.detour { "/v1/%2e%2E" } else { "" };
        format!("http://{host}{port}{detour}{}", self.place.path())
    }

    fn is_allowed_by(&self, grants: &[Granted]) -> bool {
        grants.iter().any(|grant| {
            let is_method = grant.methods.as_ref().is_none_or(|all| all.contains(&self.method));
            is_method && grant.place.covers(&self.place)
        })
    }
}

fn permit(egress: &Egress, grants: &[Granted], secrets: &[&str]) -> Permit {
    let http = grants.iter().map(|grant| HttpGrant {
        url: grant.place.url().parse().unwrap(),
        methods: grant.methods.as_ref().map(|all| all.iter().map(|&one| one.into()).collect()),
        networks: Vec::new(),
    });
    let secrets: Vec<(&str, &str)> = secrets.iter().map(|&name| (name, "value-of-it")).collect();
    permit_with(egress, http.collect(), &secrets)
}

/// One subscription's grants and the names of its secrets.
type Set = (Vec<Granted>, Vec<&'static str>);

/// Requests to anywhere, and as many to what was granted, or nearby.
fn sets_and_requests() -> impl Strategy<Value = (Vec<Set>, Vec<Asked>)> {
    let sets = vec((vec(granted(), 0..4), vec(select(&SECRETS[..]), 0..2)), 1..3);
    sets.prop_flat_map(|sets| {
        let places: Vec<Place> =
            sets.iter().flat_map(|(grants, _)| grants).map(|grant| grant.place.clone()).collect();
        let near = (asked(), any::<prop::sample::Index>(), any::<bool>()).prop_map(
            move |(mut asked, index, is_deeper)| {
                if !places.is_empty() {
                    asked.place = index.get(&places).clone();
                    asked.place.segments.extend(is_deeper.then_some("hook"));
                }
                asked
            },
        );
        (Just(sets), vec(prop_oneof![asked(), near], 1..4))
    })
}

/// Sends all, by each of the subscriptions. Returns how many were allowed.
async fn try_all(sets: &[Set], asked: &[Asked]) -> Result<usize, TestCaseError> {
    let script = Script::new(answer_once);
    let egress = egress_to(&script);
    for (grants, secrets) in sets {
        let permit = permit(&egress, grants, secrets);
        for asked in asked {
            let mut request = Request::builder().method(asked.method).uri(asked.url());
            if let Some(name) = asked.secret {
                request = request.header("x-key", format!("{{{{secret:{name}}}}}"));
            }
            let request = request.body(Full::default()).unwrap();
            let expected = match asked.secret {
                _ if !asked.is_allowed_by(grants) => Some(EgressError::Denied),
                Some(name) if !secrets.contains(&name) => {
                    Some(EgressError::UnknownSecret(name.into()))
                }
                _ => None,
            };
            let before = script.dialled().len();
            let outcome = send(&egress, &permit, request).await.err();
            prop_assert_eq!(&outcome, &expected, "{} {}", asked.method, asked.url());
            let dials = script.dialled().len() - before;
            prop_assert_eq!(dials, usize::from(expected.is_none()));
        }
    }
    Ok(script.dialled().len())
}

#[test]
fn a_request_is_sent_if_and_only_if_it_was_granted() {
    let runtime = Runtime::new().unwrap();
    let allowed = AtomicUsize::new(0);
    let config = ProptestConfig { cases: 10_000, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&sets_and_requests(), |(sets, asked)| {
        allowed.fetch_add(runtime.block_on(try_all(&sets, &asked))?, Ordering::Relaxed);
        Ok(())
    });
    outcome.unwrap();
    let allowed = allowed.into_inner();
    assert!(allowed > 2_000, "only {allowed} were to be sent, so this says little");
}
