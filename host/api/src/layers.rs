//! What every request passes: which host names and origins are ours, the headers
//! that every answer has, the access log.

use std::time::{Duration, Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header, uri::Authority};
use pairing_core::space::Space;
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::Url;

use crate::{
    problem::{Answer, Code, Problem},
    routes,
    state::Api,
};

/// The room is looked at every other second.
const FULL: Duration = Duration::from_secs(10);

/// The outermost of our own layers.
pub(crate) async fn guard(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    name_host(&mut request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = match admit(&api, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    add_headers(&api, response.headers_mut());
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    log(&method, route, &response, begun);
    response
}

fn admit(api: &Api, request: &Request) -> Answer<()> {
    let host = host(request).filter(|host| is_our_name(api, host));
    if host.is_none() {
        return Err(Problem::new(
            Code::HostNotAllowed,
            "call this host by its own name; PAIRING_PUBLIC_URL adds one to the names of loopback",
        ));
    }
    // CORS only keeps answers from pages, and does not hold for sockets: pages of
    // other origins may not even ask.
    let headers = request.headers();
    if origin(headers)
        .is_some_and(|origin| !is_our_origin(api, headers, origin) && !is_listed(api, origin))
    {
        return Err(foreign());
    }
    if *api.space.borrow() == Space::ReadOnly && changes_something(request) {
        let full = "the disk is nearly full, so nothing is changed; make room and try again";
        return Err(Problem::new(Code::StorageFull, full).after(FULL));
    }
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > api.config.limits.body_bytes)
        && !takes_components(request)
    {
        return Err(Problem::new(Code::BodyTooLarge, "at most 1 MiB is taken"));
    }
    Ok(())
}

/// Removing makes room, and a sign-in must be possible for whoever is to do that.
fn changes_something(request: &Request) -> bool {
    let is_reading = [Method::GET, Method::HEAD, Method::OPTIONS, Method::DELETE];
    !is_reading.contains(request.method()) && !request.uri().path().starts_with("/auth/")
}

/// That route limits its body itself, once it knows who sends it.
fn takes_components(request: &Request) -> bool {
    let route = request.extensions().get::<MatchedPath>();
    route.is_some_and(|route| route.as_str() == routes::COMPONENTS)
}

/// HTTP/2 has the host's name in the address; all that follows looks at the header.
fn name_host(request: &mut Request) {
    let name = request.uri().authority().map(|name| HeaderValue::try_from(name.as_str()));
    if let Some(Ok(name)) = name {
        request.headers_mut().insert(header::HOST, name);
    }
}

fn host(request: &Request) -> Option<Authority> {
    request.headers().get(header::HOST)?.to_str().ok()?.parse().ok()
}

/// Any other name leads here by a trick: DNS rebinding makes a page of somebody
/// else's name reach loopback.
fn is_our_name(api: &Api, host: &Authority) -> bool {
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let public = api.config.public_url.as_ref().and_then(Url::host_str);
    is_loopback || public.is_some_and(|public| public.eq_ignore_ascii_case(name))
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("unreadable"))
}

fn is_our_origin(api: &Api, headers: &HeaderMap, origin: &str) -> bool {
    let scheme = if api.config.is_https { "https" } else { "http" };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(|host| origin.eq_ignore_ascii_case(&format!("{scheme}://{host}")))
}

fn is_listed(api: &Api, origin: &str) -> bool {
    api.config.allowed_origins.iter().any(|listed| listed.origin().ascii_serialization() == origin)
}

fn foreign() -> Problem {
    Problem::new(
        Code::OriginNotAllowed,
        "pages of this origin may not do this; PAIRING_ALLOWED_ORIGINS lists the ones that may",
    )
}

/// For routes that begin or end a sign-in: no page of another origin may call them.
pub(crate) fn not_foreign_page(api: &Api, headers: &HeaderMap) -> Answer<()> {
    let is_foreign_site = headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin");
    let is_foreign = origin(headers).is_some_and(|origin| !is_our_origin(api, headers, origin));
    if is_foreign || is_foreign_site { Err(foreign()) } else { Ok(()) }
}

/// For routes that use the cookie: a browser must say that the page is ours.
pub(crate) fn own_page(api: &Api, headers: &HeaderMap) -> Answer<()> {
    not_foreign_page(api, headers)?;
    let is_said = headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    if is_said { Ok(()) } else { Err(foreign()) }
}

fn add_headers(api: &Api, headers: &mut HeaderMap) {
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Answers may hold live codes and names; files of the console say otherwise.
    default(header::CACHE_CONTROL, "no-store");
    default(header::REFERRER_POLICY, "no-referrer");
    default(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    default(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    default(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    if api.config.is_https {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

/// The route's pattern, never the path or the query: those may hold secrets.
/// Reading that went well is the bulk and says least.
fn log(method: &Method, route: &str, response: &Response, begun: Instant) {
    let status = response.status();
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    metrics::counter!("http_requests_total", "route" => route.to_owned(), "status" => status.as_u16().to_string())
        .increment(1);
    if status.is_server_error() {
        tracing::warn!(%method, route, status = status.as_u16(), ms, "request");
    } else if status.is_success() && method == Method::GET {
        tracing::debug!(%method, route, status = status.as_u16(), ms, "request");
    } else {
        tracing::info!(%method, route, status = status.as_u16(), ms, "request");
    }
}

/// Pages of the listed origins may call with a token; cookies are not for them.
pub(crate) fn cors(api: &Api) -> CorsLayer {
    let origins = api.config.allowed_origins.iter();
    let origins = origins.filter_map(|url| url.origin().ascii_serialization().parse().ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static("plugin-signature"),
        ])
        .expose_headers([
            header::RETRY_AFTER,
            HeaderName::from_static("ratelimit"),
            HeaderName::from_static("ratelimit-policy"),
        ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_http_2_the_host_is_named_by_the_address() {
        let uri = "https://pairing.example:8443/auth/refresh";
        let mut request = Request::builder().uri(uri).body(axum::body::Body::empty()).unwrap();
        name_host(&mut request);
        assert_eq!(request.headers()[header::HOST], "pairing.example:8443");
        assert_eq!(host(&request).unwrap().host(), "pairing.example");
    }
}
