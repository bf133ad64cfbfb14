//! The secrets of a pairing that is under way. They live in memory only, and
//! have no `Debug`.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use pairing_core::{
    clock::Timestamp,
    fan_out::{PAIRING_CODE_PLACEHOLDER, QR_CODE_PLACEHOLDER},
    renderer::Image,
    session::{CodeKind, ShownCode},
};
use secrecy::SecretString;

/// The code that a session shows, as clients get it.
#[derive(Clone)]
pub(crate) struct LiveCode {
    pub(crate) shown: ShownCode,
    /// The QR image's data URL, or the eight characters. None: the renderer
    /// plugin failed.
    pub(crate) text: Option<Arc<str>>,
    /// What a QR code says, to draw it in another size.
    pub(crate) payload: Option<SecretString>,
}

impl LiveCode {
    /// The text, if it is of this kind and has not expired.
    pub(crate) fn text(&self, kind: CodeKind, now: Timestamp) -> Option<Arc<str>> {
        let is_live = self.shown.kind == kind && now < self.shown.expires_at;
        self.text.clone().filter(|_| is_live)
    }
}

/// The image as a `data:` URL.
pub(crate) fn data_url(image: &Image) -> Arc<str> {
    let encoded = BASE64_STANDARD.encode(&image.bytes);
    format!("data:{};base64,{encoded}", image.media_type).into()
}

/// Puts the code where the fan-out plugin left its place, or null where there is
/// none. Neither kind of code has characters that JSON would escape.
pub(crate) fn fill_in(body: String, code: Option<&LiveCode>, now: Timestamp) -> Arc<str> {
    let places = [
        (QR_CODE_PLACEHOLDER, CodeKind::Qr),
        (PAIRING_CODE_PLACEHOLDER, CodeKind::PairingCode),
    ];
    let mut body = body;
    for (place, kind) in places {
        let place = format!("\"{place}\"");
        if body.contains(&place) {
            let value = match code.and_then(|code| code.text(kind, now)) {
                Some(text) => format!("\"{text}\""),
                None => "null".to_owned(),
            };
            body = body.replace(&place, &value);
        }
    }
    body.into()
}
