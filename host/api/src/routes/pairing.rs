//! The four calls that FinBot's front end makes. Paths, bodies and answers stay
//! as they are.

use axum::{
    Json,
    extract::Path,
    response::{IntoResponse, Response},
};
use http::header;
use pairing_core::{
    command::Command,
    id::SessionName,
    phone::PhoneNumber,
    renderer::{ImageFormat, RenderOptions},
    session::Status,
};
use pairing_sessions::{CommandReply, QrImage};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Admin,
    input::{Asked, Body, Named},
    problem::{Answer, Code, Problem, ProblemBody},
    rate_limit::Limit,
    routes::counted::Counted,
    state::Api,
    views::{Codes, DoneBody, SessionStatusBody},
};
use axum::extract::State;

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InitBody {
    /// 1 to 64 of `A-Z a-z 0-9 - _`, a letter or digit first.
    session_name: String,
    /// The number that is to be linked, if known.
    expected_phone_number: Option<String>,
    /// A link may be lost by this, and that is accepted.
    #[serde(default)]
    confirm: bool,
}

/// Begin to link a session, or start it again. Safe to repeat.
#[utoipa::path(post, path = "/whatsapp/init", tag = "pairing", request_body = InitBody,
    responses((status = 200, body = DoneBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn init_session(
    State(api): State<Api>,
    Admin(caller): Admin,
    Body(body): Body<InitBody>,
) -> Answer<Counted<Json<DoneBody>>> {
    let allowance = api.limits.check(Limit::Init, caller.key())?;
    let name: SessionName = body.session_name.parse()?;
    let expected = body.expected_phone_number.as_deref().map(PhoneNumber::parse).transpose()?;
    let warning = expected.as_ref().and_then(|expected| expected.warning.clone());
    let command = Command::Init {
        expected_phone_number: expected.map(|expected| expected.number.as_str().to_owned()),
        confirm: body.confirm,
    };
    let message = done(api.sessions.command(&name, command).await?)?;
    Ok(Counted(allowance, Json(DoneBody::new(message, warning))))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QrBody {
    /// A PNG as a data URL.
    qr_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageQuery {
    /// Edge in pixels.
    size: Option<u32>,
    /// Border in modules.
    quiet_zone: Option<u32>,
}

/// The QR code to scan: JSON with a data URL, or with `.png` or `.svg` after the
/// name the image itself.
#[utoipa::path(get, path = "/whatsapp/qr/{sessionName}", tag = "pairing",
    params(("sessionName" = String, Path, description = "the name; with `.png` or `.svg` after it the answer is an image"),
        ("size" = Option<u32>, Query, description = "of an image: its edge in pixels, 64 to 4096"),
        ("quietZone" = Option<u32>, Query, description = "of an image: its border in modules, 0 to 16")),
    responses((status = 200, body = QrBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_qr(
    State(api): State<Api>,
    Admin(caller): Admin,
    Path(file): Path<String>,
    Asked(asked): Asked<ImageQuery>,
) -> Answer<Counted<Response>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    let (name, format) = match file.rsplit_once('.') {
        Some((name, "png")) => (name, Some(ImageFormat::Png)),
        Some((name, "svg")) => (name, Some(ImageFormat::Svg)),
        _ => (file.as_str(), None),
    };
    let name: SessionName = name.parse()?;
    let session = api.sessions.session(&name).ok_or_else(|| not_found(&name))?;
    api.sessions.looked_at(&name);
    let answer = match format {
        None => {
            let qr_code = session.qr_data_url(api.clock.now()).ok_or_else(no_code)?;
            Json(QrBody { qr_code: qr_code.to_string() }).into_response()
        }
        Some(format) => {
            let default = RenderOptions::default();
            let options = RenderOptions {
                format,
                size: asked.size.unwrap_or(default.size),
                quiet_zone: asked.quiet_zone.unwrap_or(default.quiet_zone),
                ..default
            };
            if !(64..=4096).contains(&options.size) || options.quiet_zone > 16 {
                return Err(Problem::new(
                    Code::QueryInvalid,
                    "size is 64 to 4096 and quietZone 0 to 16",
                ));
            }
            image(api.sessions.qr_image(&name, options).await?.ok_or_else(no_code)?)
        }
    };
    Ok(Counted(allowance, answer))
}

fn image(qr: QrImage) -> Response {
    let headers = [
        (header::CONTENT_TYPE.as_str(), qr.image.media_type),
        ("x-qr-expires-at", qr.expires_at.to_string()),
        ("x-qr-sequence", qr.sequence.to_string()),
    ];
    (headers, qr.image.bytes).into_response()
}

fn no_code() -> Problem {
    Problem::new(
        Code::SessionNotReady,
        "the session shows no QR code now; its status says why, and init or refresh-qr makes a new one",
    )
}

pub(crate) fn not_found(name: &SessionName) -> Problem {
    Problem::new(
        Code::SessionNotFound,
        format!("there is no session `{name}`; POST /whatsapp/init begins one"),
    )
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CodeRequestBody {
    /// Country code and number, such as 5511999999999.
    phone_number: String,
    /// A link may be lost by this, and that is accepted.
    #[serde(default)]
    confirm: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CodeBody {
    /// Eight characters, without a dash. The status tells when it ends.
    pairing_code: String,
    /// What the number's form makes doubtful.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// Make a pairing code, to be typed into the phone. The session must be
/// `QR_READY`.
#[utoipa::path(post, path = "/whatsapp/pair/{sessionName}", tag = "pairing", request_body = CodeRequestBody,
    params(("sessionName" = String, Path)),
    responses((status = 200, body = CodeBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn request_code(
    State(api): State<Api>,
    Admin(caller): Admin,
    Named(name): Named,
    Body(body): Body<CodeRequestBody>,
) -> Answer<Counted<Json<CodeBody>>> {
    let phone = PhoneNumber::parse(&body.phone_number)?;
    let session = api.sessions.session(&name).ok_or_else(|| not_found(&name))?;
    // Counted before the page is touched: WhatsApp counts too, and locks longer.
    // What is refused without asking the page costs nothing of that.
    let allowance = if session.view.status == Status::QrReady || body.confirm {
        api.codes.spend(&caller.key(), &name, &phone.number).await?
    } else {
        api.limits.check(Limit::Write, caller.key())?
    };
    tracing::info!(session.name = %name, phone = %phone.number, "a pairing code is asked for");
    let command = Command::RequestPairingCode {
        phone_number: phone.number.as_str().to_owned(),
        confirm: body.confirm,
    };
    match api.sessions.command(&name, command).await? {
        CommandReply::CodeMade { code, .. } => {
            let pairing_code = code.expose_secret().to_owned();
            Ok(Counted(allowance, Json(CodeBody { pairing_code, warning: phone.warning })))
        }
        CommandReply::Done { message } => Err(Problem::new(Code::SessionNotReady, message)),
    }
}

/// Where a session stands. A name that was never used is `DISCONNECTED`.
#[utoipa::path(get, path = "/whatsapp/status/{sessionName}", tag = "pairing",
    params(("sessionName" = String, Path)),
    responses((status = 200, body = SessionStatusBody), (status = "default", body = ProblemBody)))]
pub(crate) async fn read_status(
    State(api): State<Api>,
    Admin(caller): Admin,
    Named(name): Named,
) -> Answer<Counted<Json<SessionStatusBody>>> {
    let allowance = api.limits.check(Limit::Read, caller.key())?;
    api.sessions.looked_at(&name);
    let now = api.clock.now();
    let body = match api.sessions.session(&name) {
        Some(session) => SessionStatusBody::of(&session, now, Codes::Shown),
        None => SessionStatusBody::not_started(&name, now),
    };
    Ok(Counted(allowance, Json(body)))
}

/// The sentence of a command that makes no code.
pub(crate) fn done(reply: CommandReply) -> Answer<String> {
    match reply {
        CommandReply::Done { message } => Ok(message),
        CommandReply::CodeMade { .. } => {
            Err(Problem::new(Code::Internal, "a pairing code came where none was asked for"))
        }
    }
}
