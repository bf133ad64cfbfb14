//! The files of the page and of the demo's phone, built into the binary, and
//! the cookie by which a browser profile is known again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::world::{Inner, World};

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const COOKIE: &str = "standin_browser";

macro_rules! page_files {
    ($($name:literal: $kind:expr),* $(,)?) => {
        &[$(($name, $kind, include_str!(concat!("../page/", $name)))),*]
    };
}

const FILES: &[(&str, &str, &str)] = page_files![
    "bytes.js": SCRIPT,
    "connection.js": SCRIPT,
    "destruction.js": SCRIPT,
    "linking.js": SCRIPT,
    "main.js": SCRIPT,
    "models.js": SCRIPT,
    "modules.js": SCRIPT,
    "registry.js": SCRIPT,
    "screen.css": STYLE,
    "screen.js": SCRIPT,
    "storage.js": SCRIPT,
    "wid.js": SCRIPT,
    "wire.js": SCRIPT,
    "phone/phone.css": STYLE,
    "phone/phone.js": SCRIPT,
];

pub(crate) async fn get_page(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    let known = browser_in(&headers);
    let browser = known.clone().unwrap_or_else(Inner::new_browser_id);
    let answer = world.change(|inner| inner.answer_page_request(&browser, signs_in(&headers)));
    tokio::time::sleep(Duration::from_millis(answer.delay_ms)).await;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = if status.is_success() { include_str!("../page/index.html") } else { "" };
    let mut response = (status, [(header::CACHE_CONTROL, "no-store")], Html(body)).into_response();
    if known.is_none() {
        let cookie = format!("{COOKIE}={browser}; Max-Age=31536000; Path=/; SameSite=Lax");
        if let Ok(value) = cookie.parse() {
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
    }
    response
}

pub(crate) async fn get_boot_script(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
) -> Response {
    let browser = browser_in(&headers).unwrap_or_else(Inner::new_browser_id);
    let script = world.change(|inner| inner.boot_script(&browser));
    ([(header::CONTENT_TYPE, SCRIPT), (header::CACHE_CONTROL, "no-store")], script).into_response()
}

pub(crate) async fn get_page_file(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(known, _, _)| *known == name) {
        Some((_, kind, text)) => {
            ([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-cache")], *text)
                .into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

pub(crate) async fn get_phone_page() -> Html<&'static str> {
    Html(include_str!("../page/phone/index.html"))
}

/// What the request's headers tell of the browser.
fn signs_in(headers: &HeaderMap) -> BTreeMap<String, String> {
    let tells = |name: &str| name == "user-agent" || name.starts_with("sec-ch-ua");
    let told = headers.iter().filter(|(name, _)| tells(name.as_str()));
    told.map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    })
    .collect()
}

fn browser_in(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs =
        cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
    found
        .next()
        .filter(|value| value.len() <= 16 && value.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .map(str::to_owned)
}
