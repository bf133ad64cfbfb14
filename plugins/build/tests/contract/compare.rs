//! What has changed in what was released.

use std::collections::BTreeMap;

use wit_parser::{Interface, PackageId, PackageName, Resolve, World, WorldItem, WorldKey};

use crate::text::{Parts, interface_name, kind, parts, signature};

/// Each change of a released package, in a sentence that says what to do. New
/// packages, interfaces and worlds are no changes.
pub(crate) fn changes(released: &Resolve, now: &Resolve) -> Vec<String> {
    let packages = released.package_names.iter();
    packages.flat_map(|(name, id)| package_changes(name, (released, *id), now)).collect()
}

fn package_changes(
    name: &PackageName,
    (released, id): (&Resolve, PackageId),
    now: &Resolve,
) -> Vec<String> {
    let Some(id_now) = now.package_names.get(name) else {
        return vec![sentence(name, "the package is gone")];
    };
    let (package, package_now) = (&released.packages[id], &now.packages[*id_now]);
    let mut found = Vec::new();
    for (name, id) in &package.interfaces {
        match package_now.interfaces.get(name) {
            Some(id_now) => {
                let sides = (&released.interfaces[*id], &now.interfaces[*id_now]);
                found.extend(interface_changes(name, (released, sides.0), (now, sides.1)));
            }
            None => found.push(format!("interface `{name}` is gone")),
        }
    }
    for (name, id) in &package.worlds {
        match package_now.worlds.get(name) {
            Some(id_now) => {
                let before = world_items(released, &released.worlds[*id]);
                let after = world_items(now, &now.worlds[*id_now]);
                let place = format!("world `{name}`: ");
                found.extend(pairs(&before, &after, &place, text_difference));
            }
            None => found.push(format!("world `{name}` is gone")),
        }
    }
    found.iter().map(|change| sentence(name, change)).collect()
}

/// Changes of one interface, each in some words.
pub(crate) fn interface_changes(
    name: &str,
    (released, before): (&Resolve, &Interface),
    (now, after): (&Resolve, &Interface),
) -> Vec<String> {
    let types = |resolve: &Resolve, interface: &Interface| -> BTreeMap<String, Parts> {
        let types = interface.types.iter();
        let named = |name, id| format!("{} `{name}`", kind(resolve, id));
        types.map(|(name, id)| (named(name, *id), parts(resolve, *id))).collect()
    };
    let functions = |resolve: &Resolve, interface: &Interface| -> BTreeMap<String, String> {
        let functions = interface.functions.iter();
        let named = |name| format!("function `{name}`");
        functions.map(|(name, function)| (named(name), signature(resolve, function))).collect()
    };
    let place = format!("interface `{name}`: ");
    let (old, new) = (types(released, before), types(now, after));
    let mut found = pairs(&old, &new, &place, parts_difference);
    let (old, new) = (functions(released, before), functions(now, after));
    found.extend(pairs(&old, &new, &place, text_difference));
    found
}

fn world_items(resolve: &Resolve, world: &World) -> BTreeMap<String, String> {
    let item = |(key, item): (&WorldKey, &WorldItem), way: &str| {
        let text = match item {
            WorldItem::Interface { id, .. } => interface_name(resolve, *id),
            WorldItem::Function(function) => signature(resolve, function),
            WorldItem::Type { id, .. } => format!("{:?}", parts(resolve, *id)),
        };
        (format!("{way} `{}`", resolve.name_world_key(key)), text)
    };
    let imports = world.imports.iter().map(|one| item(one, "import"));
    imports.chain(world.exports.iter().map(|one| item(one, "export"))).collect()
}

/// Walks two lists by name.
fn pairs<T>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    place: &str,
    difference: impl Fn(&T, &T) -> Option<String>,
) -> Vec<String> {
    let old = before.iter().filter_map(|(name, one)| match after.get(name) {
        Some(other) => Some(format!("{place}{name} {}", difference(one, other)?)),
        None => Some(format!("{place}{name} is gone")),
    });
    let new = after.keys().filter(|name| !before.contains_key(*name));
    old.chain(new.map(|name| format!("{place}{name} is new"))).collect()
}

fn text_difference(before: &String, after: &String) -> Option<String> {
    (before != after).then(|| format!("was `{before}` and is `{after}`"))
}

fn parts_difference(before: &Parts, after: &Parts) -> Option<String> {
    if before == after {
        return None;
    }
    let kind = before.kind;
    let lacks = |parts: &Parts, name: &str| !parts.list.iter().any(|(other, _)| other == name);
    let only = |one: &Parts, other: &Parts, word: &str| -> Vec<String> {
        let names = one.list.iter().filter(|(name, _)| lacks(other, name));
        names.map(|(name, _)| format!("`{name}` is {word}")).collect()
    };
    let mut names = only(before, after, "gone");
    names.extend(only(after, before, "new"));
    let names = names.join(", ");
    let (count, count_now) = (before.list.len(), after.list.len());
    if count != count_now {
        return Some(format!("had {count} {kind} and has {count_now} ({names})"));
    }
    if !names.is_empty() {
        return Some(format!("has other {kind} ({names})"));
    }
    let mut sides = before.list.iter().zip(&after.list);
    if sides.clone().any(|((name, _), (other, _))| name != other) {
        return Some(format!("has its {kind} in another order"));
    }
    let ((name, ty), (_, ty_now)) = sides.find(|(one, other)| one != other)?;
    let place = if name.is_empty() { String::new() } else { format!("has `{name}`, which ") };
    let named = |ty: &str| if ty.is_empty() { "nothing".into() } else { format!("`{ty}`") };
    Some(format!("{place}was {} and is {}", named(ty), named(ty_now)))
}

fn sentence(package: &PackageName, change: &str) -> String {
    let next = match &package.version {
        Some(version) if version.major == 0 => format!("0.{}.0", version.minor + 1),
        Some(version) => format!("{}.0.0", version.major + 1),
        None => "a version".into(),
    };
    format!(
        "`{package}` is released: {change}. Released packages never change; make the change in \
         {next} beside it, see wit/README.md"
    )
}
