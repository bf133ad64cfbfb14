//! What a sign-in hands out: a short access token, which lives in the page's
//! memory and goes into a header, and a refresh token in a cookie that scripts
//! can't read and that only these routes use, for pages of our own origin.

use std::time::Duration;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use pairing_core::{
    clock::Timestamp,
    store::{Admin as Person, Login},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    problem::{Answer, Code, Problem},
    state::Api,
};

const ACCESS_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// A sign-in that is not renewed for so long ends.
pub(super) const IDLE: Duration = Duration::from_secs(30 * 60);
/// A sign-in ends after so long.
pub(crate) const ABSOLUTE: Duration = Duration::from_secs(12 * 60 * 60);
/// A spent token is taken again for so long, if its successor was not used.
pub(super) const GRACE: Duration = Duration::from_secs(60);

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoginBody {
    /// To be sent as `Authorization: Bearer …`.
    access_token: String,
    #[schema(format = "date-time")]
    expires_at: String,
    user: UserBody,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct UserBody {
    username: String,
}

pub(super) fn busy() -> Problem {
    Problem::new(Code::EngineUnavailable, "too many sign-ins at once; try again in a moment")
        .after(Duration::from_secs(2))
}

pub(super) async fn begin(
    api: &Api,
    jar: CookieJar,
    person: &Person,
    now: Timestamp,
) -> Answer<Response> {
    let login = Login {
        id: Uuid::new_v4(),
        admin: person.id,
        counter: 1,
        rotated_at: now,
        created_at: now,
    };
    api.store.add_login(&login).await?;
    answer(api, jar, person, &login)
}

pub(super) fn answer(
    api: &Api,
    jar: CookieJar,
    person: &Person,
    login: &Login,
) -> Answer<Response> {
    // Tokens are held against the machine's clock.
    let now = api.wall_clock.now();
    let subject = person.id.to_string();
    let token = api.tokens.keys().issue(
        &subject,
        Some(&person.username),
        Some((login.id, login.created_at)),
        now,
        ACCESS_LIFETIME,
    );
    let access_token = token.map_err(|error| {
        tracing::error!(%error, "no token could be signed");
        Problem::new(Code::Internal, "no token could be signed; the log says why")
    })?;
    let body = LoginBody {
        access_token,
        expires_at: now.after(ACCESS_LIFETIME).to_string(),
        user: UserBody { username: person.username.clone() },
    };
    let value = api.refresh.write(login.id, login.counter);
    let jar = jar.add(cookie(api, value));
    Ok((jar, Json(body)).into_response())
}

/// Browsers share cookies between the ports of a host, so the name carries the
/// port. `__Host-` wants `Secure` and the whole host.
pub(super) fn cookie_name(api: &Api) -> String {
    let prefix = if api.config.is_https { "__Host-" } else { "" };
    format!("{prefix}pairing_refresh_{}", api.config.port)
}

pub(super) fn cookie(api: &Api, value: String) -> Cookie<'static> {
    let path = if api.config.is_https { "/" } else { "/auth" };
    Cookie::build((cookie_name(api), value))
        .http_only(true)
        .secure(api.config.is_https)
        .same_site(SameSite::Strict)
        .path(path)
        .max_age(ABSOLUTE.try_into().unwrap_or_default())
        .build()
}
