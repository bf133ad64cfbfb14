//! The control API under `/__standin`, JSON in and out:
//!
//! - `POST phone/scan {image | payload, phoneNumber?, name?}`: the phone reads
//!   a QR (`image` is a PNG data URL); answers with the linked device.
//! - `POST phone/enter-code {phoneNumber, code, name?}`: the same by code.
//! - `POST phone/unlink {phoneNumber | deviceId}` → `{removed}`.
//! - `POST faults {kind, …, target?, times?}` → `{id}`, see
//!   [`crate::faults::FaultKind`]; `times` is 1 when left out, 0 is for ever.
//! - `POST faults/clear`: forgets those that have not struck.
//! - `GET settings`, `PUT settings` (what is left out takes its default).
//! - `GET state`: pages, devices, faults, counters.
//! - `GET phone`: a page for people that plays the phone.
//!
//! A refusal by the phone is `{error, message}`, see [`PhoneError`].

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::config::Settings;
use crate::faults::Fault;
use crate::page_files::{get_boot_script, get_page, get_page_file, get_phone_page};
use crate::page_socket::open_page_socket;
use crate::qr_image::read_qr_data_url;
use crate::world::{Linked, PhoneError, World};

/// The account that scans when none is named.
pub(crate) const DEFAULT_PHONE: &str = "5511987654321";
pub(crate) const DEFAULT_NAME: &str = "Stand-in Phone";

pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        // What the browser under test sees.
        .route("/", get(get_page))
        .route("/page/boot.js", get(get_boot_script))
        .route("/page/{*name}", get(get_page_file))
        .route("/ws/chat", get(open_page_socket))
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
        // The phone.
        .route("/__standin/phone", get(get_phone_page))
        .route("/__standin/phone/scan", post(scan))
        .route("/__standin/phone/enter-code", post(enter_code))
        .route("/__standin/phone/unlink", post(unlink))
        // What goes wrong, and what is.
        .route("/__standin/faults", post(add_fault))
        .route("/__standin/faults/clear", post(clear_faults))
        .route("/__standin/settings", get(read_settings).put(replace_settings))
        .route("/__standin/state", get(read_state))
        // A picture of a whole screen is larger than axum's limit.
        .layer(DefaultBodyLimit::max(64 << 20))
        .with_state(world)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Scan {
    /// A data URL of the PNG that shows the QR…
    image: Option<String>,
    /// …or the text of the QR.
    payload: Option<String>,
    phone_number: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EnterCode {
    phone_number: String,
    code: String,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Unlink {
    phone_number: Option<String>,
    device_id: Option<String>,
}

async fn scan(State(world): State<Arc<World>>, Json(scan): Json<Scan>) -> Response {
    let payload = match (&scan.image, scan.payload) {
        (Some(image), _) => match read_qr_data_url(image) {
            Ok(text) => text,
            Err(error) => return refuse(PhoneError::QrUnreadable, &error.to_string()),
        },
        (None, Some(payload)) => payload,
        (None, None) => return bad_request("give an image (PNG data URL) or a payload"),
    };
    let phone = scan.phone_number.as_deref().unwrap_or(DEFAULT_PHONE);
    answer(world.scan(&payload, phone, scan.name.as_deref().unwrap_or(DEFAULT_NAME)).await)
}

async fn enter_code(State(world): State<Arc<World>>, Json(entered): Json<EnterCode>) -> Response {
    answer(
        world
            .enter_code(
                &entered.phone_number,
                &entered.code,
                entered.name.as_deref().unwrap_or(DEFAULT_NAME),
            )
            .await,
    )
}

async fn unlink(State(world): State<Arc<World>>, Json(unlink): Json<Unlink>) -> Response {
    let removed = match (unlink.device_id, unlink.phone_number) {
        (Some(device), _) => usize::from(world.change(|inner| inner.unlink_device(&device))),
        (None, Some(phone)) => world.change(|inner| inner.unlink_account(&phone)),
        (None, None) => return bad_request("give a phoneNumber or a deviceId"),
    };
    Json(json!({ "removed": removed })).into_response()
}

async fn add_fault(State(world): State<Arc<World>>, Json(fault): Json<Fault>) -> Response {
    Json(json!({ "id": world.change(|inner| inner.add_fault(fault)) })).into_response()
}

async fn clear_faults(State(world): State<Arc<World>>) -> StatusCode {
    world.change(|inner| inner.faults.clear());
    StatusCode::NO_CONTENT
}

async fn read_settings(State(world): State<Arc<World>>) -> Json<Settings> {
    Json(world.read(|inner| inner.settings.clone()))
}

async fn replace_settings(
    State(world): State<Arc<World>>,
    Json(settings): Json<Settings>,
) -> StatusCode {
    world.change(|inner| inner.settings = settings);
    StatusCode::NO_CONTENT
}

async fn read_state(State(world): State<Arc<World>>) -> Response {
    Json(world.read(|inner| inner.view())).into_response()
}

fn answer(result: Result<Linked, PhoneError>) -> Response {
    match result {
        Ok(linked) => Json(linked).into_response(),
        Err(error) => refuse(error, error.message()),
    }
}

fn refuse(error: PhoneError, message: &str) -> Response {
    let status = match error {
        PhoneError::QrUnreadable | PhoneError::QrNotValid => StatusCode::UNPROCESSABLE_ENTITY,
        PhoneError::QrExpired | PhoneError::CodeExpired => StatusCode::GONE,
        PhoneError::CodeNotAsked => StatusCode::NOT_FOUND,
        PhoneError::CodeWrong | PhoneError::PasskeyRequired | PhoneError::TooManyDevices => {
            StatusCode::FORBIDDEN
        }
        PhoneError::PageRefused => StatusCode::CONFLICT,
        PhoneError::PageSilent => StatusCode::GATEWAY_TIMEOUT,
    };
    (status, Json(json!({ "error": error, "message": message }))).into_response()
}

fn bad_request(message: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": "bad_request", "message": message })))
        .into_response()
}
