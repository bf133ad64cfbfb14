//! Does a component fit its slot? wasmtime would say so too, but not in words
//! that tell a plugin's author what to do.

use wasmtime::{
    Store,
    component::{
        Component, ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower,
        types::ComponentItem,
    },
};

use super::type_difference;
use crate::{call::CallState, error::Refusal, plugin::World};

/// Does it ask for nothing, and have the slot's interface?
pub(super) fn interfaces<W: World>(component: &Component) -> Result<(), Refusal> {
    let engine = component.engine();
    let ty = component.component_type();
    let imports = ty.imports(engine);
    let mut demands: Vec<_> =
        imports.flat_map(|(name, import)| demands(component, name, &import.ty)).collect();
    demands.sort();
    if !demands.is_empty() {
        return Err(Refusal::Imports(demands));
    }
    if ty.get_export(engine, W::INTERFACE).is_none() {
        let exports = ty.exports(engine).map(|(name, _)| format!("`{name}`")).collect();
        return Err(Refusal::MissingInterface { wanted: W::INTERFACE, exports });
    }
    Ok(())
}

/// Has the interface all functions, with the types that the host knows?
pub(super) fn functions<W: World>(
    pre: &InstancePre<CallState>,
    store: &mut Store<CallState>,
) -> wasmtime::Result<Result<(), Refusal>> {
    let instance = pre.instantiate(&mut *store)?;
    let name = W::INTERFACE;
    let Some(index) = instance.get_export_index(&mut *store, None, name) else {
        return Ok(Err(Refusal::MissingInterface { wanted: name, exports: Vec::new() }));
    };
    Ok(W::compare(&mut Interface { name, index, instance, store }))
}

/// The interface of an instance that is being looked at.
pub(crate) struct Interface<'a> {
    name: &'static str,
    index: ComponentExportIndex,
    instance: Instance,
    store: &'a mut Store<CallState>,
}

impl Interface<'_> {
    /// Has it this function, from these parameters to this answer?
    pub(crate) fn has<Parameters, Answer>(&mut self, function: &'static str) -> Result<(), Refusal>
    where
        Parameters: ComponentNamedList + Lower,
        Answer: ComponentNamedList + Lift,
    {
        let interface = self.name;
        let index = self.instance.get_export_index(&mut *self.store, Some(&self.index), function);
        let index = index.ok_or(Refusal::MissingFunction { interface, function })?;
        let typed = self.instance.get_typed_func::<Parameters, Answer>(&mut *self.store, &index);
        typed.map(drop).map_err(|error| {
            let difference = type_difference::in_words(&error);
            Refusal::Types { interface, function, difference }
        })
    }
}

/// What an import asks the host to give. Types ask for nothing: an interface
/// that is exported names the types of others by importing them.
fn demands(component: &Component, name: &str, item: &ComponentItem) -> Vec<String> {
    match item {
        ComponentItem::Type(_) => Vec::new(),
        ComponentItem::ComponentInstance(interface) => {
            let asks = |item: &ComponentItem| !matches!(item, ComponentItem::Type(_));
            let items = interface.exports(component.engine());
            items
                .filter(|(_, export)| asks(&export.ty))
                .map(|(function, _)| format!("`{name}#{function}`"))
                .collect()
        }
        _ => vec![format!("`{name}`")],
    }
}
