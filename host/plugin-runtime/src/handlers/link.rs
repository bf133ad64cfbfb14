//! What is linked for a subscription: its grants, and an empty WASI beside them.

use pairing_core::subscription::Grants;
use wasmtime::{
    Engine,
    component::{HasSelf, Linker},
};

use super::{imports::Grant, state::HandlerState};
use crate::bindings::handler::pairing_console::handler as wit;

/// Which grants are linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Offer([bool; Grant::ALL.len()]);

impl Offer {
    pub(crate) fn of(grants: &Grants) -> Self {
        Self(Grant::ALL.map(|grant| grant.is_in(grants)))
    }

    /// For asking a component what it is: all is linked, and nothing works.
    pub(crate) fn everything() -> Self {
        Self([true; Grant::ALL.len()])
    }

    fn has(self, grant: Grant) -> bool {
        self.0[grant as usize]
    }
}

/// A linker with what is offered, and no more.
pub(crate) fn linker(engine: &Engine, offer: Offer) -> wasmtime::Result<Linker<HandlerState>> {
    type Own = HasSelf<HandlerState>;
    let mut linker = Linker::new(engine);
    let link = &mut linker;
    // Languages' runtimes import it and never need it.
    wasmtime_wasi::p2::add_to_linker_async(link)?;
    if offer.has(Grant::Log) {
        wit::log::add_to_linker::<_, Own>(link, |state| state)?;
    }
    if offer.has(Grant::Config) {
        wit::config::add_to_linker::<_, Own>(link, |state| state)?;
    }
    if offer.has(Grant::Kv) {
        wit::kv::add_to_linker::<_, Own>(link, |state| state)?;
    }
    if offer.has(Grant::Clock) {
        wit::clock::add_to_linker::<_, Own>(link, |state| state)?;
    }
    if offer.has(Grant::Random) {
        wit::random::add_to_linker::<_, Own>(link, |state| state)?;
    }
    if offer.has(Grant::Session) {
        wit::session::add_to_linker::<_, Own>(link, |state| state)?;
    }
    if offer.has(Grant::Secrets) {
        wit::secrets::add_to_linker::<_, Own>(link, |state| state)?;
    }
    if offer.has(Grant::Http) {
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(link)?;
    }
    Ok(linker)
}
