//! The description of the API: as JSON, and to read.

use std::fmt::Write;

use axum::{
    Router,
    extract::FromRequestParts,
    response::{Html, IntoResponse},
    routing::get,
};
use http::{header, request::Parts};

use crate::{auth::Admin, openapi, problem::Problem, state::Api};

/// Anybody where the host is being developed with, else an admin.
pub(crate) struct Reader;

impl FromRequestParts<Api> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        if !api.config.is_development {
            Admin::from_request_parts(parts, api).await?;
        }
        Ok(Self)
    }
}

/// The API's description, OpenAPI 3.1. Open to all in development mode.
#[utoipa::path(get, path = "/openapi.json", tag = "operations",
    responses((status = 200, body = Object)))]
pub(crate) async fn read_openapi(_reader: Reader) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], openapi::openapi_json())
}

pub(super) fn page() -> Router<Api> {
    Router::new().route("/openapi", get(async |_reader: Reader| Html(readable())))
}

/// Plain HTML, no script: one section a route.
fn readable() -> String {
    let api = openapi::describe();
    let mut page = String::from(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Pairing console: API</title><h1>API</h1><p>The same for programs: <a href=/openapi.json>openapi.json</a>.</p>",
    );
    for (path, item) in &api.paths.paths {
        let methods = [("GET", &item.get), ("POST", &item.post), ("DELETE", &item.delete)];
        for (method, operation) in methods {
            let Some(operation) = operation else { continue };
            let text = [&operation.summary, &operation.description].into_iter().flatten();
            let text = text.map(|text| escape(text)).collect::<Vec<_>>().join("<br>");
            // Writing to a string can't fail.
            let _ = write!(page, "<h2>{method} <code>{}</code></h2><p>{text}</p>", escape(path));
        }
    }
    page
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
