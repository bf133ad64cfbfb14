//! Signing in, renewing that, and signing out.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use axum_extra::extract::cookie::CookieJar;
use http::{HeaderMap, StatusCode};
use pairing_core::store::{Admin as Person, LoginLimits, Rotation};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::session::{ABSOLUTE, GRACE, IDLE, LoginBody, answer, begin, busy, cookie, cookie_name};
use crate::{
    auth::password,
    client::Client,
    input::Body,
    layers::{not_foreign_page, own_page},
    problem::{Answer, Code, Problem, ProblemBody},
    rate_limit::Limit,
    state::Api,
};

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
    let is_right = api.passwords.is_right(person.as_ref(), body.password.clone()).await;
    match person.filter(|_| is_right == Ok(true)) {
        Some(person) => {
            tracing::info!(audit = "authn_login_success", username = person.username, "signed in");
            renew_hash(&api, &person, body.password).await;
            begin(&api, jar, &person, api.clock.now()).await
        }
        None if is_right.is_err() => Err(busy()),
        None => {
            tracing::warn!(audit = "authn_login_fail", client = %client.0, "a sign-in failed");
            Err(Problem::new(Code::LoginFailed, "name or password is wrong"))
        }
    }
}

/// Only now is the password known from which a hash by newer parameters can be
/// made. Whatever fails is tried again at the next sign-in.
async fn renew_hash(api: &Api, person: &Person, password: SecretString) {
    let Some(hash) = api.passwords.renewed(person, password).await else { return };
    match api.store.update_password_hash(person.id, &person.password_hash, &hash).await {
        Ok(_) => tracing::info!(username = person.username, "the password is hashed anew"),
        Err(error) => tracing::warn!(%error, "the password could not be hashed anew"),
    }
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
            Some(person) => answer(&api, jar, &person, &login),
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
