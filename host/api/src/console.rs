//! The web console's files, built into the binary, under `/admin`.

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::{problem, state::Api};

/// Nothing but our own files, and images from data URLs (the QR code). A change
/// here is a change of what a script in the page could do.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const HOME: &str = "/admin/whatsapp-pairing";

#[derive(RustEmbed)]
#[folder = "../../console/dist"]
struct Files;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/", get(async || Redirect::temporary(HOME)))
        .route("/admin", get(async || Redirect::temporary(HOME)))
        .route("/admin/", get(async || Redirect::temporary(HOME)))
        .route("/admin/{*path}", get(serve))
}

async fn serve(Path(path): Path<String>, uri: http::Uri, headers: HeaderMap) -> Response {
    if let Some(file) = Files::get(&path) {
        // The build puts a hash of their content into the names of assets.
        let lasts = path.starts_with("assets/");
        return respond(
            &file,
            &headers,
            if lasts { "public, max-age=31536000, immutable" } else { "no-cache" },
        );
    }
    // A file that is missing must not look like a page.
    let names_a_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    if names_a_file {
        return problem::not_found(uri).await.into_response();
    }
    match Files::get("index.html") {
        Some(page) => respond(&page, &headers, "no-cache"),
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The console is not built into this host: run `make console`, then build the host again.\n",
        )
            .into_response(),
    }
}

fn respond(file: &EmbeddedFile, headers: &HeaderMap, caching: &'static str) -> Response {
    let hash: String =
        file.metadata.sha256_hash().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{hash}\"");
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == etag.as_str());
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = file.metadata.mimetype().to_owned();
        ([(header::CONTENT_TYPE, kind)], file.data.clone()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}
