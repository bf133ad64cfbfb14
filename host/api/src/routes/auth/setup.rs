//! The first admin's password: set once, with the link that the host printed.

use axum::{Json, extract::State, response::Response};
use axum_extra::extract::cookie::CookieJar;
use http::HeaderMap;
use pairing_core::store::Admin as Person;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::session::{LoginBody, begin, busy};
use crate::{
    auth::password,
    client::Client,
    input::Body,
    layers::not_foreign_page,
    problem::{Answer, Code, Problem, ProblemBody},
    rate_limit::Limit,
    state::{Api, setup_token_hash},
};

#[derive(Serialize, ToSchema)]
pub(crate) struct SetupBody {
    /// The first admin's password must be set, with the link that the host printed.
    needed: bool,
}

/// Must the first admin's password be set?
#[utoipa::path(get, path = "/auth/setup", tag = "auth", security(()),
    responses((status = 200, body = SetupBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_setup(State(api): State<Api>, client: Client) -> Answer<Json<SetupBody>> {
    api.limits.check(Limit::Anonymous, client.key())?;
    Ok(Json(SetupBody { needed: api.store.admin_count().await? == 0 }))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct ClaimBody {
    /// From the link that the host printed.
    token: String,
    username: String,
    /// 15 characters or more.
    #[schema(value_type = String)]
    password: SecretString,
}

/// Set the first admin's password. Works once.
#[utoipa::path(post, path = "/auth/setup", tag = "auth", request_body = ClaimBody, security(()),
    responses((status = 200, body = LoginBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn claim_setup(
    State(api): State<Api>,
    client: Client,
    headers: HeaderMap,
    jar: CookieJar,
    Body(body): Body<ClaimBody>,
) -> Answer<Response> {
    not_foreign_page(&api, &headers)?;
    api.limits.check(Limit::LoginAddress, client.key())?;
    if api.store.admin_count().await? > 0 {
        return Err(setup_done());
    }
    password::check_username(&body.username)
        .map_err(|error| Problem::new(Code::UsernameInvalid, error.to_string()))?;
    password::check(&body.username, &body.password).map_err(weak)?;
    let hash = api.passwords.hash(body.password).await.map_err(|_| busy())?.map_err(weak)?;
    let now = api.clock.now();
    let person = Person {
        id: Uuid::new_v4(),
        username: body.username,
        password_hash: hash,
        created_at: now,
    };
    if !api.store.claim_setup(&setup_token_hash(&body.token), now, &person).await? {
        return Err(setup_done());
    }
    tracing::info!(username = person.username, "the first admin's password was set");
    begin(&api, jar, &person, now).await
}

fn setup_done() -> Problem {
    Problem::new(
        Code::SetupDone,
        "the link is spent, too old, or there is an admin already; the host prints a new one at its start while there is none",
    )
}

fn weak(error: password::WeakPassword) -> Problem {
    Problem::new(Code::PasswordWeak, error.to_string())
}
