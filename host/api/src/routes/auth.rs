//! Sign-in to the console: set-up of the first admin, login, renewal, logout.
//!
//! The access token lives in the page's memory and goes into a header. The
//! refresh token lives in a cookie that scripts can't read and that only these
//! routes use, for pages of our own origin.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use http::{HeaderMap, StatusCode, header};
use pairing_core::{
    clock::Timestamp,
    store::{Admin as Person, Login, LoginLimits, Rotation},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::counted::Counted;
use crate::{
    auth::{Admin, Issuer, password},
    client::Client,
    input::Body,
    layers::{not_foreign_page, own_page},
    problem::{Answer, Code, Problem, ProblemBody},
    rate_limit::Limit,
    state::{Api, setup_token_hash},
};

const ACCESS_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// A sign-in that is not renewed for so long ends.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// A sign-in ends after so long.
pub(crate) const ABSOLUTE: Duration = Duration::from_secs(12 * 60 * 60);
/// A spent token is taken again for so long, if its successor was not used.
const GRACE: Duration = Duration::from_secs(60);

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

fn busy() -> Problem {
    Problem::new(Code::EngineUnavailable, "too many sign-ins at once; try again in a moment")
        .after(Duration::from_secs(2))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct CredentialsBody {
    username: String,
    #[schema(value_type = String)]
    password: SecretString,
}

/// Sign in to the console.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = CredentialsBody, security(()),
    responses((status = 200, body = LoginBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn login(
    State(api): State<Api>,
    client: Client,
    headers: HeaderMap,
    jar: CookieJar,
    Body(body): Body<CredentialsBody>,
) -> Answer<Response> {
    not_foreign_page(&api, &headers)?;
    api.limits.check(Limit::LoginAddress, client.key())?;
    // Of a name that nobody can have nothing is kept.
    let person = match password::check_username(&body.username) {
        Ok(()) => {
            api.limits.check(Limit::LoginAccount, body.username.to_lowercase())?;
            api.store.admin(&body.username).await?
        }
        Err(_) => None,
    };
    let is_right = api.passwords.is_right(person.as_ref(), body.password).await;
    match person.filter(|_| is_right == Ok(true)) {
        Some(person) => {
            tracing::info!(audit = "authn_login_success", username = person.username, "signed in");
            begin(&api, jar, &person, api.clock.now()).await
        }
        None if is_right.is_err() => Err(busy()),
        None => {
            tracing::warn!(audit = "authn_login_fail", client = %client.0, "a sign-in failed");
            Err(Problem::new(Code::LoginFailed, "name or password is wrong"))
        }
    }
}

async fn begin(api: &Api, jar: CookieJar, person: &Person, now: Timestamp) -> Answer<Response> {
    let login = Login {
        id: Uuid::new_v4(),
        admin: person.id,
        counter: 1,
        rotated_at: now,
        created_at: now,
    };
    api.store.add_login(&login).await?;
    answer(api, jar, person, &login, now)
}

fn answer(
    api: &Api,
    jar: CookieJar,
    person: &Person,
    login: &Login,
    now: Timestamp,
) -> Answer<Response> {
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

/// Renew the access token, with the cookie.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", security(()),
    responses((status = 200, body = LoginBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn refresh_login(
    State(api): State<Api>,
    client: Client,
    headers: HeaderMap,
    jar: CookieJar,
) -> Answer<Response> {
    own_page(&api, &headers)?;
    api.limits.check(Limit::Refresh, client.key())?;
    let presented = jar.get(&cookie_name(&api)).and_then(|cookie| api.refresh.read(cookie.value()));
    let Some((id, counter)) = presented else {
        return Err(Problem::new(Code::Unauthorized, "there is no sign-in to renew"));
    };
    let now = api.clock.now();
    let limits = LoginLimits {
        idle_since: now.before(IDLE),
        created_since: now.before(ABSOLUTE),
        grace_since: now.before(GRACE),
    };
    match api.store.rotate_login(id, counter, now, limits).await? {
        Rotation::Accepted(login) => match api.store.admin_by_id(login.admin).await? {
            Some(person) => answer(&api, jar, &person, &login, now),
            None => Err(ended(Code::Unauthorized)),
        },
        Rotation::Reused => {
            tracing::warn!(audit = "authn_token_reuse", login = %id, "a spent refresh token was presented; the sign-in was ended");
            api.logins.forget(id);
            Err(ended(Code::RefreshReused))
        }
        Rotation::Unknown => Err(ended(Code::Unauthorized)),
    }
}

fn ended(code: Code) -> Problem {
    Problem::new(code, "the sign-in has ended; sign in again")
}

/// Sign out: the cookie's sign-in ends, with all its sockets.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", security(()),
    responses((status = 204), (status = "default", body = ProblemBody)))]
pub(crate) async fn logout(
    State(api): State<Api>,
    headers: HeaderMap,
    jar: CookieJar,
) -> Answer<Response> {
    own_page(&api, &headers)?;
    let presented = jar.get(&cookie_name(&api)).and_then(|cookie| api.refresh.read(cookie.value()));
    if let Some((login, _)) = presented {
        api.store.revoke_login(login).await?;
        api.logins.forget(login);
    }
    let mut gone = cookie(&api, String::new());
    gone.make_removal();
    Ok((StatusCode::NO_CONTENT, jar.add(gone)).into_response())
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MeBody {
    subject: String,
    #[schema(required)]
    username: Option<String>,
    /// `local` or `external`.
    issuer: &'static str,
    role: &'static str,
}

/// Who the token speaks for.
#[utoipa::path(get, path = "/auth/me", tag = "auth",
    responses((status = 200, body = MeBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_me(
    State(api): State<Api>,
    Admin(caller): Admin,
) -> Answer<Counted<Json<MeBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let issuer = match caller.issuer {
        Issuer::Local => "local",
        Issuer::External => "external",
    };
    let body = MeBody { subject: caller.subject, username: caller.username, issuer, role: "admin" };
    Ok(Counted(allowance, Json(body)))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TicketBody {
    /// Works once.
    ticket: String,
    #[schema(format = "date-time")]
    expires_at: String,
}

/// A ticket to open `/ws` with, from the same origin: it works once, for 30 s. The
/// socket of a sign-in lives as long as the sign-in, not as the token.
#[utoipa::path(post, path = "/auth/ws-ticket", tag = "auth",
    responses((status = 200, body = TicketBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn issue_ws_ticket(
    State(api): State<Api>,
    Admin(caller): Admin,
    headers: HeaderMap,
) -> Answer<Counted<Json<TicketBody>>> {
    let allowance = api.limits.check(Limit::Write, caller.key())?;
    let mut caller = caller;
    if let Some(login) = caller.login {
        caller.expires_at = login.began_at.after(ABSOLUTE);
    }
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let ticket = api.tickets.issue(caller, origin.map(str::to_owned)).ok_or_else(|| {
        Problem::new(Code::RateLimited, "too many tickets are out").after(Duration::from_secs(30))
    })?;
    let body = TicketBody { ticket: ticket.text, expires_at: ticket.expires_at.to_string() };
    Ok(Counted(allowance, Json(body)))
}

/// Browsers share cookies between the ports of a host, so the name carries the
/// port. `__Host-` wants `Secure` and the whole host.
fn cookie_name(api: &Api) -> String {
    let prefix = if api.config.is_https { "__Host-" } else { "" };
    format!("{prefix}pairing_refresh_{}", api.config.port)
}

fn cookie(api: &Api, value: String) -> Cookie<'static> {
    let path = if api.config.is_https { "/" } else { "/auth" };
    Cookie::build((cookie_name(api), value))
        .http_only(true)
        .secure(api.config.is_https)
        .same_site(SameSite::Strict)
        .path(path)
        .max_age(ABSOLUTE.try_into().unwrap_or_default())
        .build()
}
