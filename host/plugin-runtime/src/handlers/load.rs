//! From compiled code to a handler that is ready to be called.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pairing_core::{
    plugin::{PluginError, PluginInfo, Slot},
    subscription::Grants,
};
use wasmtime::component::Component;

use super::{
    call::{self, CallError, Order},
    host::HandlerHost,
    imports::Demands,
    link::{self, Offer},
    state::HandlerState,
};
use crate::{
    bindings::handler::{EventHandlerPre, exports::pairing_console::handler::handler as wit},
    compile,
    error::Refusal,
    load::{Origin, Verified, check_named, deserialize, type_difference},
    plugin::{Loaded, Named, Served, Version},
    standing::Standing,
};

/// What a component must export.
pub(crate) const INTERFACE: &str = "pairing-console:handler/handler@0.1.0";
/// A component may take so long to say what it is.
const DESCRIBING: Duration = Duration::from_secs(5);

/// A handler's component, linked anew for each set of grants.
pub(crate) struct HandlerWorld {
    component: Component,
    pub(crate) demands: Demands,
    /// Kinds of events that it wants; none means all.
    types: Option<BTreeSet<String>>,
    linked: Mutex<Vec<(Offer, EventHandlerPre<HandlerState>)>>,
}

impl Served for HandlerWorld {}

impl HandlerWorld {
    pub(crate) fn wants(&self, kind: &str) -> bool {
        kind == pairing_core::handler::GAP
            || self.types.as_ref().is_none_or(|types| types.contains(kind))
    }

    /// With what these grants offer; fails if the component imports more.
    pub(crate) fn linked_for(
        &self,
        host: &HandlerHost,
        grants: &Grants,
    ) -> wasmtime::Result<EventHandlerPre<HandlerState>> {
        let offer = Offer::of(grants);
        let mut linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pre)) = linked.iter().find(|(known, _)| *known == offer) {
            return Ok(pre.clone());
        }
        let pre = link::linker(&host.engine, offer)?.instantiate_pre(&self.component)?;
        let pre = EventHandlerPre::new(pre)?;
        linked.push((offer, pre.clone()));
        Ok(pre)
    }
}

/// Checks a component against the handlers' world and asks it what it is.
pub(crate) async fn load(
    host: &Arc<HandlerHost>,
    slot: Slot,
    code: &Verified<'_>,
    origin: Origin,
) -> Result<Version<HandlerWorld>, Refusal> {
    let refused = |error: wasmtime::Error| Refusal::Compile(format!("{error:#}"));
    let component = deserialize(&host.engine, code).map_err(refused)?;
    let exports = exports(&component);
    if !exports.iter().any(|export| export == INTERFACE) {
        let exports = exports.iter().map(|name| format!("`{name}`")).collect();
        return Err(Refusal::MissingInterface { wanted: INTERFACE, exports });
    }
    let demands = Demands::of(&component)?;
    let linker = link::linker(&host.engine, Offer::everything()).map_err(refused)?;
    let pre = linker
        .instantiate_pre(&component)
        .map_err(|error| Refusal::ImportTypes { difference: format!("{error:#}") })?;
    let pre = EventHandlerPre::new(pre).map_err(|error| other_types(&error))?;
    let said = describe(host, slot, pre).await?;
    let named = Named { name: said.name, version: said.version };
    check_named(&named)?;
    let info = PluginInfo {
        slot,
        digest: origin.digest.clone(),
        name: named.name,
        version: named.version,
        source: origin.source,
    };
    let initial_memory = compile::initial_memory(&component);
    let types = said.types.map(|types| types.into_iter().collect());
    Ok(Version {
        info,
        world: HandlerWorld { component, demands, types, linked: Mutex::default() },
        standing: Standing::new(slot, origin.digest, origin.is_proven),
        initial_memory,
        _loaded: Loaded::count(&host.loaded),
    })
}

async fn describe(
    host: &Arc<HandlerHost>,
    slot: Slot,
    pre: EventHandlerPre<HandlerState>,
) -> Result<wit::Description, Refusal> {
    // It is never closed.
    let _turn = host.loading.acquire().await;
    let order = Order { slot, served: None, timeout: DESCRIBING };
    let asking = {
        let host = host.clone();
        call::run(host, order, move |store| {
            Box::pin(async move {
                let guest = pre.instantiate_async(&mut *store).await?;
                guest.pairing_console_handler_handler().call_describe(store).await
            })
        })
    };
    let ended = host.run(asking).await;
    match ended.map(|ended| ended.result) {
        Some(Ok(said)) => Ok(said),
        Some(Err(CallError::Plugin(error))) => Err(Refusal::Describe(error)),
        Some(Err(CallError::TimedOut)) => {
            Err(Refusal::Describe(PluginError::Deadline { slot, budget: DESCRIBING }))
        }
        None => Err(Refusal::Compiler("the host failed in the call".into())),
    }
}

fn exports(component: &Component) -> Vec<String> {
    let exports = component.component_type();
    exports.exports(component.engine()).map(|(name, _)| name.to_owned()).collect()
}

/// Which function differs stands in wasmtime's chain of reasons.
fn other_types(error: &wasmtime::Error) -> Refusal {
    let text = format!("{error:#}");
    let function =
        ["handle", "describe"].into_iter().find(|name| text.contains(&format!("`{name}`")));
    let function = function.unwrap_or("handle");
    if text.contains("no exported") || text.contains("not found") {
        return Refusal::MissingFunction { interface: INTERFACE, function };
    }
    let difference = type_difference::in_words(error);
    Refusal::Types { interface: INTERFACE, function, difference }
}
