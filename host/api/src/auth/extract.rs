//! Taking [`Admin`] is a handler's permission check.

use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};

use super::{principal::Principal, tokens::Denied};
use crate::{
    problem::{Code, Problem},
    rate_limit::Limit,
    state::Api,
};

/// An admin with a valid token whose sign-in has not ended.
pub struct Admin(pub Principal);

impl FromRequestParts<Api> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let admitted = match bearer_token(&parts.headers) {
            Some(token) => api.admit(token).await,
            None => Err(Problem::unauthorized()),
        };
        match admitted {
            Ok(principal) => Ok(Self(principal)),
            Err(problem) => {
                // Guessing is limited by address; good tokens never count here.
                api.limits.check(Limit::Anonymous, api.client(parts).key())?;
                Err(problem)
            }
        }
    }
}

impl Api {
    /// Who this token speaks for, if its sign-in has not ended.
    pub(crate) async fn admit(&self, token: &str) -> Result<Principal, Problem> {
        let principal = self.tokens.verify(token).await.map_err(|denied| {
            tracing::debug!(reason = %denied, "a token was refused");
            match denied {
                Denied::NotAdmin => {
                    Problem::new(Code::Forbidden, "the token is valid but lacks the admin role")
                }
                Denied::Invalid(_) | Denied::UnknownKey => Problem::unauthorized(),
            }
        })?;
        if let Some(login) = principal.login
            && !self.logins.is_live(login.id).await?
        {
            return Err(Problem::unauthorized());
        }
        Ok(principal)
    }
}

/// The one token of the one `Authorization` header. Two headers are none: which
/// of them would count depends on who reads.
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
