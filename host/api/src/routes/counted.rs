//! An answer that tells how much of a limit is left.

use axum::response::{IntoResponse, Response};

use crate::rate_limit::Allowance;

pub(crate) struct Counted<T>(pub(crate) Option<Allowance>, pub(crate) T);

impl<T: IntoResponse> IntoResponse for Counted<T> {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        if let Some(allowance) = self.0 {
            allowance.write(response.headers_mut());
        }
        response
    }
}
