//! What was done to a slot, and what was refused.

use axum::{Json, extract::State};
use pairing_core::plugin_store::{NumberedChange, PluginAction};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

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
pub(crate) struct ChangesQuery {
    /// Only entries with a lower number.
    before: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

fn action() -> impl Into<RefOr<Schema>> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(PluginAction::ALL.map(PluginAction::as_str)))
        .description(Some("what was tried"))
}

/// A line of a slot's history.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangeBody {
    /// Counts the changes of all slots; of those that changed what is active it is
    /// the generation.
    number: u64,
    #[schema(format = "date-time")]
    at: String,
    /// A person's name, the subject of a token (`external:…` of a foreign issuer's),
    /// or `host`.
    who: String,
    #[schema(schema_with = action)]
    action: &'static str,
    /// What was active before.
    #[schema(required)]
    from: Option<String>,
    /// What it was about.
    #[schema(required)]
    to: Option<String>,
    /// Percent of the sessions, of a trial.
    #[schema(required)]
    share: Option<u8>,
    /// Why, in the words of who did it.
    why: String,
    /// Null: it was done. Else why not, and what to do.
    #[schema(required)]
    refusal: Option<String>,
    /// More for people.
    detail: String,
}

impl From<NumberedChange> for ChangeBody {
    fn from(NumberedChange { number, change }: NumberedChange) -> Self {
        Self {
            number,
            at: change.at.to_string(),
            who: change.who,
            action: change.action.as_str(),
            from: change.from.map(|digest| digest.to_string()),
            to: change.to.map(|digest| digest.to_string()),
            share: change.share,
            why: change.why,
            refusal: change.refusal,
            detail: change.detail,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ChangesBody {
    /// Newest first.
    changes: Vec<ChangeBody>,
    /// Ask again with `before` set to this; null at the end.
    #[schema(required)]
    next: Option<u64>,
}

/// What was done to a slot and what was refused, newest first.
#[utoipa::path(get, path = "/plugins/{slot}/history", tag = "plugins",
    params(("slot" = String, Path, description = "`workflow`, `qr-renderer`, `fan-out` or a handler's name"), ChangesQuery),
    responses((status = 200, body = ChangesBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_plugin_history(
    State(api): State<Api>,
    Admin(caller): Admin,
    AtSlot(slot): AtSlot,
    Asked(asked): Asked<ChangesQuery>,
) -> Answer<Counted<Json<ChangesBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let limit = asked.limit.unwrap_or(50).clamp(1, PAGE);
    // One more than is shown tells whether there is a next page.
    let mut changes = api.plugins.history(slot, asked.before, limit + 1).await?;
    let has_more = changes.len() > limit as usize;
    changes.truncate(limit as usize);
    let next = changes.last().filter(|_| has_more).map(|last| last.number);
    let changes = changes.into_iter().map(ChangeBody::from).collect();
    Ok(Counted(allowance, Json(ChangesBody { changes, next })))
}
