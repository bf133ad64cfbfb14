//! What handlers take from a request; what can't be read becomes a problem.

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
};
use http::request::Parts;
use pairing_core::id::SessionName;
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::ToSchema;

use crate::{
    client::Client,
    problem::{Code, Problem},
    state::Api,
};

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let Json(body) = Json::<T>::from_request(request, api).await?;
        Ok(Self(body))
    }
}

/// A JSON body that may be left out.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<Api> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Api) -> Result<Self, Problem> {
        let limit = 64 * 1024;
        let bytes = axum::body::to_bytes(request.into_body(), limit)
            .await
            .map_err(|_| Problem::new(Code::BodyTooLarge, "at most 64 KiB are taken here"))?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(T::default()));
        }
        let body = serde_json::from_slice(&bytes);
        body.map(Self).map_err(|error| Problem::new(Code::BodyInvalid, error.to_string()))
    }
}

/// What the address asks after `?`.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let Query(asked) = Query::<T>::from_request_parts(parts, api).await?;
        Ok(Self(asked))
    }
}

/// The session that the address names.
pub(crate) struct Named(pub(crate) SessionName);

impl FromRequestParts<Api> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, api).await;
        let Path(name) =
            path.map_err(|error| Problem::new(Code::SessionNameInvalid, error.body_text()))?;
        Ok(Self(name.parse()?))
    }
}

impl FromRequestParts<Api> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        Ok(api.client(parts))
    }
}

/// The body of a command that may endanger a link.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfirmBody {
    /// A link may be lost by this, and that is accepted.
    #[serde(default)]
    pub(crate) confirm: bool,
}
