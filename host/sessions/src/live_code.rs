//! The secrets of a pairing that is under way. They live in memory only, and
//! have no `Debug`.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use pairing_core::{
    clock::Timestamp,
    fan_out::{PAIRING_CODE_PLACEHOLDER, QR_CODE_PLACEHOLDER},
    plugin::PluginError,
    renderer::{Image, QrRenderer, RenderOptions},
    session::{CodeKind, ShownCode},
};
use secrecy::{ExposeSecret, SecretString};

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

/// What a session knows of its codes.
#[derive(Default)]
pub(crate) struct Codes {
    /// The latest that the engine gave, whether shown or not.
    pub(crate) qr: Option<SecretString>,
    pub(crate) pairing_code: Option<SecretString>,
    /// The one that is shown.
    pub(crate) live: Option<LiveCode>,
}

impl Codes {
    /// The secret that belongs to what the workflow wants shown.
    pub(crate) async fn to_show(
        &self,
        shown: Option<ShownCode>,
        renderer: &dyn QrRenderer,
    ) -> Option<LiveCode> {
        let shown = shown?;
        let is_same = |live: &&LiveCode| {
            (live.shown.kind, live.shown.sequence) == (shown.kind, shown.sequence)
        };
        if let Some(live) = self.live.as_ref().filter(is_same) {
            return Some(LiveCode { shown, ..live.clone() });
        }
        match shown.kind {
            CodeKind::PairingCode => {
                let text = Some(self.pairing_code.as_ref()?.expose_secret().into());
                Some(LiveCode { shown, text, payload: None })
            }
            CodeKind::Qr => {
                let payload = self.qr.clone()?;
                let text = match draw(&payload, renderer).await {
                    Ok(image) => Some(data_url(&image)),
                    Err(error) => {
                        tracing::error!(%error, "a QR code could not be drawn");
                        None
                    }
                };
                Some(LiveCode { shown, text, payload: Some(payload) })
            }
        }
    }
}

/// Draws, once more if the first call was cut off.
async fn draw(payload: &SecretString, renderer: &dyn QrRenderer) -> Result<Image, PluginError> {
    match renderer.render(payload, RenderOptions::default()).await {
        Err(PluginError::Refused { slot, message }) => Err(PluginError::Refused { slot, message }),
        Err(_) => renderer.render(payload, RenderOptions::default()).await,
        image => image,
    }
}

/// The image as a `data:` URL.
fn data_url(image: &Image) -> Arc<str> {
    let encoded = BASE64_STANDARD.encode(&image.bytes);
    format!("data:{};base64,{encoded}", image.media_type).into()
}

/// Puts the code where the fan-out plugin left its place, or null where there is
/// none.
pub(crate) fn fill_in(body: String, code: Option<&LiveCode>, now: Timestamp) -> Arc<str> {
    let places =
        [(QR_CODE_PLACEHOLDER, CodeKind::Qr), (PAIRING_CODE_PLACEHOLDER, CodeKind::PairingCode)];
    let mut body = body;
    for (place, kind) in places {
        let place = format!("\"{place}\"");
        if body.contains(&place) {
            let value = match code.and_then(|code| code.text(kind, now)) {
                Some(text) => serde_json::Value::from(&*text).to_string(),
                None => "null".to_owned(),
            };
            body = body.replace(&place, &value);
        }
    }
    body.into()
}
