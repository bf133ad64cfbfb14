//! What a component imports, and which grant each import takes.

use std::collections::BTreeSet;

use pairing_core::subscription::Grants;
use wasmtime::component::{Component, types::ComponentItem};

use crate::error::Refusal;

/// The version of our own interfaces.
const OURS: &str = "pairing-console:handler/";
const VERSION: &str = "0.1.0";

/// Something that is granted or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Grant {
    Log,
    Config,
    Kv,
    Clock,
    Random,
    Session,
    Secrets,
    Http,
}

impl Grant {
    pub(crate) const ALL: [Self; 8] = [
        Self::Log,
        Self::Config,
        Self::Kv,
        Self::Clock,
        Self::Random,
        Self::Session,
        Self::Secrets,
        Self::Http,
    ];

    /// The interface's name without its package.
    fn interface(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Config => "config",
            Self::Kv => "kv",
            Self::Clock => "clock",
            Self::Random => "random",
            Self::Session => "session",
            Self::Secrets => "secrets",
            Self::Http => "outgoing-handler",
        }
    }

    /// How an operator gives it.
    fn flag(self) -> &'static str {
        match self {
            Self::Log => "--log",
            Self::Config => "--config-access",
            Self::Kv => "--kv",
            Self::Clock => "--clock",
            Self::Random => "--random",
            Self::Session => "--session reconnect (or park, log-out)",
            Self::Secrets => "--sign",
            Self::Http => "--http https://HOST/PATH",
        }
    }

    pub(crate) fn is_in(self, grants: &Grants) -> bool {
        match self {
            Self::Log => grants.log,
            Self::Config => grants.config,
            Self::Kv => grants.kv,
            Self::Clock => grants.clock,
            Self::Random => grants.random,
            Self::Session => !grants.session.is_empty(),
            Self::Secrets => grants.secrets,
            Self::Http => !grants.http.is_empty(),
        }
    }
}

/// What a component asks of the host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Demands {
    /// With the import's full name.
    pub(crate) grants: Vec<(Grant, String)>,
    /// All interfaces that it imports, what is empty here included.
    pub(crate) names: Vec<String>,
}

impl Demands {
    /// Fails if it asks for what this host does not have.
    pub(crate) fn of(component: &Component) -> Result<Self, Refusal> {
        let engine = component.engine();
        let mut demands = Self::default();
        let mut unknown = Vec::new();
        for (name, import) in component.component_type().imports(engine) {
            if is_types_only(component, &import.ty) {
                continue;
            }
            demands.names.push(name.to_owned());
            match grant_for(name) {
                Some(Wanted::Grant(grant)) => demands.grants.push((grant, name.to_owned())),
                Some(Wanted::Empty) => {}
                None => unknown.push(format!("`{name}`")),
            }
        }
        if unknown.is_empty() { Ok(demands) } else { Err(Refusal::UnknownImports(unknown)) }
    }

    /// Each grant that it lacks, and how to give it.
    pub(crate) fn missing(&self, grants: &Grants) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let lacking = self.grants.iter().filter(|(grant, _)| !grant.is_in(grants));
        let once = lacking.filter(|(grant, _)| seen.insert(*grant));
        once.map(|(grant, name)| format!("`{name}` (grant it with `{}`)", grant.flag())).collect()
    }
}

enum Wanted {
    Grant(Grant),
    /// It is there, and nothing is in it.
    Empty,
}

fn grant_for(name: &str) -> Option<Wanted> {
    if let Some(own) = name.strip_prefix(OURS) {
        let (interface, version) = own.split_once('@')?;
        let found = Grant::ALL.into_iter().find(|grant| grant.interface() == interface);
        return found
            .filter(|grant| version == VERSION && *grant != Grant::Http)
            .map(Wanted::Grant);
    }
    let (package, rest) = name.split_once('/')?;
    let (interface, version) = rest.split_once('@')?;
    if !version.starts_with("0.2.") {
        return None;
    }
    match package {
        "wasi:http" if interface == "outgoing-handler" || interface == "types" => {
            Some(Wanted::Grant(Grant::Http))
        }
        "wasi:cli" | "wasi:clocks" | "wasi:filesystem" | "wasi:io" | "wasi:random"
        | "wasi:sockets" => Some(Wanted::Empty),
        _ => None,
    }
}

/// An interface that is exported names the types of others by importing them.
fn is_types_only(component: &Component, item: &ComponentItem) -> bool {
    match item {
        ComponentItem::Type(_) => true,
        ComponentItem::ComponentInstance(interface) => {
            let mut items = interface.exports(component.engine());
            items.all(|(_, export)| matches!(export.ty, ComponentItem::Type(_)))
        }
        _ => false,
    }
}
