//! Does a component fit its slot? wasmtime would say so too, but not in words
//! that tell a plugin's author what to do.

use wasmtime::component::{Component, types::ComponentItem};

use crate::{error::Refusal, plugin::World};

pub(super) fn check<W: World>(component: &Component) -> Result<(), Refusal> {
    let engine = component.engine();
    let ty = component.component_type();

    let imports: Vec<_> = ty
        .imports(engine)
        .flat_map(|(name, import)| demands(component, name, &import.ty))
        .collect();
    if !imports.is_empty() {
        return Err(Refusal::Imports(imports));
    }

    let Some(export) = ty.get_export(engine, W::INTERFACE) else {
        let exports = ty.exports(engine).map(|(name, _)| format!("`{name}`")).collect();
        return Err(Refusal::MissingInterface { wanted: W::INTERFACE, exports });
    };
    let has = |function: &str| match &export.ty {
        ComponentItem::ComponentInstance(interface) => {
            let item = interface.get_export(engine, function);
            item.is_some_and(|item| matches!(item.ty, ComponentItem::ComponentFunc(_)))
        }
        _ => false,
    };
    match W::FUNCTIONS.iter().find(|function| !has(function)) {
        Some(function) => Err(Refusal::MissingFunction { interface: W::INTERFACE, function }),
        None => Ok(()),
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
