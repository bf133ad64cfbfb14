//! Types and functions as text, without what does not bear on a compiled plugin:
//! documentation, places in files, `@since`.

use wit_parser::{Function, Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId, TypeOwner};

/// A type's parts: each with its name and, where it has one, its type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// `cases`, `fields` or `flags`; empty where the type is but one text.
    pub(crate) kind: &'static str,
    pub(crate) list: Vec<(String, String)>,
}

/// The word that a type is introduced by.
pub(crate) fn kind(resolve: &Resolve, id: TypeId) -> &'static str {
    use TypeDefKind::{Enum, Flags, Record, Resource, Variant};
    match &resolve.types[id].kind {
        kind @ (Enum(_) | Flags(_) | Record(_) | Resource | Variant(_)) => kind.as_str(),
        _ => "type",
    }
}

/// A named type's definition.
pub(crate) fn parts(resolve: &Resolve, id: TypeId) -> Parts {
    let of = |ty: &Type| type_text(resolve, ty);
    let (kind, list) = match &resolve.types[id].kind {
        TypeDefKind::Record(record) => (
            "fields",
            record.fields.iter().map(|field| (field.name.clone(), of(&field.ty))).collect(),
        ),
        TypeDefKind::Variant(variant) => {
            let payload = |ty: &Option<Type>| ty.as_ref().map(of).unwrap_or_default();
            let cases = variant.cases.iter();
            ("cases", cases.map(|case| (case.name.clone(), payload(&case.ty))).collect())
        }
        TypeDefKind::Enum(cases) => {
            ("cases", cases.cases.iter().map(|case| (case.name.clone(), String::new())).collect())
        }
        TypeDefKind::Flags(flags) => {
            ("flags", flags.flags.iter().map(|flag| (flag.name.clone(), String::new())).collect())
        }
        _ => ("", vec![(String::new(), definition(resolve, id))]),
    };
    Parts { kind, list }
}

/// `func(name: type) -> type`
pub(crate) fn signature(resolve: &Resolve, function: &Function) -> String {
    let parameter = |name: &str, ty: &Type| format!("{name}: {}", type_text(resolve, ty));
    let parameters = function.params.iter().map(|one| parameter(&one.name, &one.ty));
    let parameters = parameters.collect::<Vec<_>>().join(", ");
    let asynchronous = if function.kind.is_async() { "async " } else { "" };
    let result = function.result.as_ref();
    let result = result.map(|ty| format!(" -> {}", type_text(resolve, ty))).unwrap_or_default();
    format!("{asynchronous}func({parameters}){result}")
}

/// A named type by its name, which the interface explains; others in full.
fn type_text(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Id(id) => match &resolve.types[*id].name {
            Some(name) => name.clone(),
            None => definition(resolve, *id),
        },
        plain => format!("{plain:?}").to_lowercase(),
    }
}

fn definition(resolve: &Resolve, id: TypeId) -> String {
    let of = |ty: &Type| type_text(resolve, ty);
    let or_none = |ty: &Option<Type>| ty.as_ref().map_or("_".into(), of);
    match &resolve.types[id].kind {
        TypeDefKind::Type(Type::Id(other)) => from_elsewhere(resolve, *other),
        TypeDefKind::Type(ty) => of(ty),
        TypeDefKind::Option(ty) => format!("option<{}>", of(ty)),
        TypeDefKind::List(ty) => format!("list<{}>", of(ty)),
        TypeDefKind::FixedLengthList(ty, length) => format!("list<{}, {length}>", of(ty)),
        TypeDefKind::Map(key, value) => format!("map<{}, {}>", of(key), of(value)),
        TypeDefKind::Result(result) => {
            format!("result<{}, {}>", or_none(&result.ok), or_none(&result.err))
        }
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", tuple.types.iter().map(of).collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Stream(ty) => format!("stream<{}>", or_none(ty)),
        TypeDefKind::Future(ty) => format!("future<{}>", or_none(ty)),
        TypeDefKind::Handle(Handle::Own(of)) => type_text(resolve, &Type::Id(*of)),
        TypeDefKind::Handle(Handle::Borrow(of)) => {
            format!("borrow<{}>", type_text(resolve, &Type::Id(*of)))
        }
        kind => kind.as_str().into(),
    }
}

/// A type that was named by `use`, or by a `type` of its own.
fn from_elsewhere(resolve: &Resolve, id: TypeId) -> String {
    let name = type_text(resolve, &Type::Id(id));
    match resolve.types[id].owner {
        TypeOwner::Interface(owner) => format!("{}.{name}", interface_name(resolve, owner)),
        _ => name,
    }
}

/// Such as `pairing-console:types/events@0.1.0`.
pub(crate) fn interface_name(resolve: &Resolve, id: InterfaceId) -> String {
    resolve.id_of(id).unwrap_or_else(|| "an interface without a name".into())
}
