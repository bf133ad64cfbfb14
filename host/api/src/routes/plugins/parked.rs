//! What a slot's plugin could not work. The inputs themselves stay in the
//! database: they may name phone numbers.

use axum::{Json, extract::State};
use pairing_core::plugin_store::Parked;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{PAGE, input::AtSlot};
use crate::{
    auth::Admin,
    input::Asked,
    problem::{Answer, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ParkedQuery {
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// An input or event that failed on its second try too.
#[derive(Serialize, ToSchema)]
#[schema(as = Parked)]
pub(crate) struct OneParkedBody {
    session: String,
    #[schema(format = "date-time")]
    at: String,
    /// An input's cause, or `event` with its place.
    what: String,
    /// The last attempt's error.
    reason: String,
}

impl From<Parked> for OneParkedBody {
    fn from(parked: Parked) -> Self {
        Self {
            session: parked.session.to_string(),
            at: parked.at.to_string(),
            what: parked.what,
            reason: parked.reason,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ParkedBody {
    /// Newest first.
    parked: Vec<OneParkedBody>,
}

/// What could not be worked, even on a second try; newest first.
#[utoipa::path(get, path = "/plugins/{slot}/parked", tag = "plugins",
    params(("slot" = String, Path, description = "`workflow`, `qr-renderer`, `fan-out` or a handler's name"), ParkedQuery),
    responses((status = 200, body = ParkedBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn list_parked(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSlot(slot): AtSlot,
    Asked(asked): Asked<ParkedQuery>,
) -> Answer<Counted<Json<ParkedBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let limit = asked.limit.unwrap_or(50).clamp(1, PAGE);
    let parked = api.plugins.parked(slot, limit).await?;
    let parked = parked.into_iter().map(OneParkedBody::from).collect();
    Ok(Counted(allowance, Json(ParkedBody { parked })))
}
