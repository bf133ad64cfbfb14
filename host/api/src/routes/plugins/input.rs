//! The slot and the version that an address or a body names.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use pairing_core::{
    event::Cursor,
    handler::{HandlerName, InvalidHandlerName},
    id::InvalidSessionName,
    plugin::Slot,
    subscription::SubscriptionId,
};

use crate::{
    problem::{Answer, Code, Problem},
    state::Api,
};

/// Fewer digits of a digest say too little.
const FEWEST_DIGITS: usize = 6;

/// The slot that the address names, whether it is there or not.
pub(crate) struct AtAnySlot(pub(super) Slot);

impl FromRequestParts<Api> for AtAnySlot {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let name = named(parts, api, "slot").await.unwrap_or_default();
        name.parse().map(Self).map_err(|error: InvalidHandlerName| {
            Problem::new(Code::HandlerNameInvalid, error.to_string())
        })
    }
}

/// The slot that the address names; a handler's is there once a component was sent
/// in for it.
pub(crate) struct AtSlot(pub(super) Slot);

impl FromRequestParts<Api> for AtSlot {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let name = named(parts, api, "slot").await;
        if let Some(slot) = name.as_deref().and_then(|name| name.parse().ok())
            && api.plugins.has_slot(slot).await?
        {
            return Ok(Self(slot));
        }
        let all = api.plugins.slots().into_iter();
        let all = all.map(|report| format!("`{}`", report.slot.as_str())).collect::<Vec<_>>();
        let name = name.map_or("of this name".into(), |name| format!("`{name}`"));
        Err(Problem::new(
            Code::PluginSlotUnknown,
            format!(
                "there is no slot {name}; there are {}, and a handler's is there once a component \
                 was pushed to it",
                all.join(", ")
            ),
        ))
    }
}

/// The handler that the address names.
pub(crate) struct AtHandler(pub(super) HandlerName);

impl FromRequestParts<Api> for AtHandler {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let AtSlot(slot) = AtSlot::from_request_parts(parts, api).await?;
        slot.handler().map(Self).ok_or_else(|| {
            Problem::new(
                Code::PluginConflict,
                format!("`{}` is a slot of the host's own: only handlers have this", slot.as_str()),
            )
        })
    }
}

/// The subscription that the address names, whether it is there or not.
pub(crate) struct AtSubscription(pub(super) SubscriptionId);

impl FromRequestParts<Api> for AtSubscription {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let AtHandler(handler) = AtHandler::from_request_parts(parts, api).await?;
        let name = named(parts, api, "name").await.unwrap_or_default();
        let name = name.parse().map_err(|error: InvalidSessionName| {
            // The same rule as for sessions, in its words.
            let text = error.to_string().replace("session name", "subscription name");
            Problem::new(Code::SubscriptionNameInvalid, text)
        })?;
        Ok(Self(SubscriptionId { handler, name }))
    }
}

/// The event that a subscription gave up, as the address names it.
pub(crate) struct AtDeadLetter(pub(super) SubscriptionId, pub(super) Cursor);

impl FromRequestParts<Api> for AtDeadLetter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let AtSubscription(id) = AtSubscription::from_request_parts(parts, api).await?;
        let event = named(parts, api, "event").await.unwrap_or_default();
        let event = event.parse().map_err(|_| {
            let detail = "an event is named by the `id` it came with, a number";
            Problem::new(Code::DeadLetterNotFound, detail)
        })?;
        Ok(Self(id, event))
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
