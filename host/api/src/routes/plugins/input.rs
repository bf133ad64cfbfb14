//! The slot and the version that an address or a body names.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use pairing_core::plugin::Slot;

use crate::{
    problem::{Answer, Code, Problem},
    state::Api,
};

/// Fewer digits of a digest say too little.
const FEWEST_DIGITS: usize = 6;

/// The slot that the address names.
pub(crate) struct AtSlot(pub(super) Slot);

impl FromRequestParts<Api> for AtSlot {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let name = named(parts, api, "slot").await;
        let slot = name.as_deref().and_then(Slot::named);
        slot.map(Self).ok_or_else(|| {
            let all = Slot::ALL.map(|slot| format!("`{}`", slot.as_str())).join(", ");
            let detail = match name {
                Some(name) => format!("there is no slot `{name}`; there are {all}"),
                None => format!("there is no such slot; there are {all}"),
            };
            Problem::new(Code::PluginSlotUnknown, detail)
        })
    }
}

/// The version of a slot that the address names: a digest, or its first digits.
pub(crate) struct AtVersion(pub(super) Slot, pub(super) String);

impl FromRequestParts<Api> for AtVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let AtSlot(slot) = AtSlot::from_request_parts(parts, api).await?;
        let name = named(parts, api, "digest").await;
        Ok(Self(slot, digest(name.as_deref().unwrap_or_default())?))
    }
}

async fn named(parts: &mut Parts, api: &Api, name: &str) -> Option<String> {
    let all = RawPathParams::from_request_parts(parts, api).await.ok()?;
    all.iter().find(|(one, _)| *one == name).map(|(_, value)| value.to_owned())
}

/// A digest or its first digits, in the form that the registry has them.
pub(super) fn digest(text: &str) -> Answer<String> {
    let is_one = (FEWEST_DIGITS..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_one {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Problem::new(
        Code::PluginDigestInvalid,
        format!("a digest is 64 hexadecimal digits; the first {FEWEST_DIGITS} or more will do"),
    ))
}
