//! The swap and the way back.

use axum::{Json, extract::State};
use pairing_core::plugin_store::Canary;
use pairing_plugin_registry::{Activate, Activated, RegistryError, Rollback};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    input::{AtSlot, digest},
    replay::ReplayBody,
};
use crate::{
    auth::Admin,
    input::{Body, OptionalBody},
    problem::{Answer, Code, Problem, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

/// Characters of a reason, at most.
const WHY: usize = 500;

#[derive(Deserialize, ToSchema)]
pub(crate) struct ActivateBody {
    /// The version's digest, or at least its first six digits.
    digest: String,
    /// For this percentage of the sessions only, on trial. 100 is no trial.
    #[schema(minimum = 1, maximum = 100)]
    canary: Option<u8>,
    /// The reason, for the history: up to 500 characters.
    why: Option<String>,
}

#[derive(Default, Deserialize, ToSchema)]
pub(crate) struct RollbackBody {
    /// The digest of one of the last ten versions, or at least its first six
    /// digits. Without it: the one before, or the end of the trial.
    to: Option<String>,
    /// The reason, for the history: up to 500 characters.
    why: Option<String>,
}

/// What is on trial.
#[derive(Serialize, ToSchema)]
pub(crate) struct CanaryBody {
    digest: String,
    /// Percent of the sessions.
    share: u8,
}

impl From<Canary> for CanaryBody {
    fn from(canary: Canary) -> Self {
        Self { digest: canary.digest.to_string(), share: canary.share }
    }
}

/// What a change of the active version brought.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActivatedBody {
    /// The slot's new generation.
    generation: u64,
    /// What was active before.
    #[schema(required)]
    from: Option<String>,
    /// What is active now.
    active: String,
    #[schema(required)]
    canary: Option<CanaryBody>,
    /// Sessions that stay with another version.
    pinned_sessions: usize,
    /// What was done, for people.
    message: String,
    /// What replaying the recorded histories showed; null after a rollback.
    #[schema(required)]
    replay: Option<ReplayBody>,
}

impl From<Activated> for ActivatedBody {
    fn from(activated: Activated) -> Self {
        Self {
            generation: activated.generation,
            from: activated.from.map(|digest| digest.to_string()),
            active: activated.active.to_string(),
            canary: activated.canary.map(CanaryBody::from),
            pinned_sessions: activated.pinned_sessions,
            message: activated.message,
            replay: activated.replay.map(ReplayBody::from),
        }
    }
}

/// Replay the recorded histories through a version and, if it passes, make it
/// active. Calls in flight end on the version that they began with.
#[utoipa::path(post, path = "/plugins/{slot}/activate", tag = "plugins", request_body = ActivateBody,
    params(("slot" = String, Path, description = "`workflow`, `qr-renderer`, `fan-out` or a handler's name")),
    responses((status = 200, body = ActivatedBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn activate_plugin(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSlot(slot): AtSlot,
    Body(body): Body<ActivateBody>,
) -> Answer<Counted<Json<ActivatedBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let ask = Activate {
        slot,
        digest: digest(&body.digest)?,
        canary: share(body.canary)?,
        why: why(body.why)?,
        who: caller.shown(),
    };
    let registry = api.plugins.clone();
    let deliveries = api.deliveries.clone();
    let activating = async move {
        let activated = registry.activate(ask).await?;
        // What waited for a version that can work it need not wait longer.
        if slot.handler().is_some() {
            deliveries.reload().await;
        }
        Ok::<_, RegistryError>(activated)
    };
    let activated = api.to_the_end(activating).await??;
    Ok(Counted(allowance, Json(activated.into())))
}

/// Go back to an earlier version, or end a trial. Nothing is compiled or replayed.
#[utoipa::path(post, path = "/plugins/{slot}/rollback", tag = "plugins",
    request_body(content = Option<RollbackBody>),
    params(("slot" = String, Path, description = "`workflow`, `qr-renderer`, `fan-out` or a handler's name")),
    responses((status = 200, body = ActivatedBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn roll_back_plugin(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSlot(slot): AtSlot,
    OptionalBody(body): OptionalBody<RollbackBody>,
) -> Answer<Counted<Json<ActivatedBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let ask = Rollback {
        slot,
        to: body.to.as_deref().map(digest).transpose()?,
        why: why(body.why)?,
        who: caller.shown(),
    };
    let registry = api.plugins.clone();
    let deliveries = api.deliveries.clone();
    let going_back = async move {
        let activated = registry.roll_back(ask).await?;
        if slot.handler().is_some() {
            deliveries.reload().await;
        }
        Ok::<_, RegistryError>(activated)
    };
    let activated = api.to_the_end(going_back).await??;
    Ok(Counted(allowance, Json(activated.into())))
}

fn share(canary: Option<u8>) -> Answer<Option<u8>> {
    match canary {
        None | Some(100) => Ok(None),
        Some(share @ 1..=99) => Ok(Some(share)),
        Some(other) => Err(Problem::new(
            Code::BodyInvalid,
            format!("canary is a percentage, 1 to 100, and not {other}"),
        )),
    }
}

pub(super) fn why(why: Option<String>) -> Answer<String> {
    let why = why.unwrap_or_default();
    let length = why.chars().count();
    if length > WHY {
        let detail = format!("why has {length} characters, at most {WHY} are kept");
        return Err(Problem::new(Code::BodyInvalid, detail));
    }
    Ok(why)
}
