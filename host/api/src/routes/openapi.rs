//! The description of the API: as JSON, and to read.

use std::fmt::Write;

use axum::{Router, response::Html, routing::get};
use http::header;

use crate::{openapi, state::Api};

/// The API's description, OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", tag = "operations", security(()),
    responses((status = 200, body = Object)))]
pub(crate) async fn read_openapi() -> ([(header::HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, "application/json")], openapi::openapi_json())
}

pub(super) fn page() -> Router<Api> {
    Router::new().route("/openapi", get(async || Html(readable())))
}

/// Plain HTML, no script: one section a route.
fn readable() -> String {
    let api = openapi::describe();
    let mut page = String::from(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Pairing console: API</title><h1>API</h1><p>The same for programs: <a href=/openapi.json>openapi.json</a>.</p>",
    );
    for (path, item) in &api.paths.paths {
        let methods = [
            ("GET", &item.get),
            ("POST", &item.post),
            ("DELETE", &item.delete),
        ];
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
