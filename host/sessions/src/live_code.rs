//! The secrets of a pairing that is under way. They live in memory only, and
//! have no `Debug`.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use pairing_core::{
    clock::{SharedClock, Timestamp},
    fan_out::{PAIRING_CODE_PLACEHOLDER, QR_CODE_PLACEHOLDER},
    id::SessionName,
    renderer::{Image, QrRenderer, RenderOptions},
    session::{CodeKind, ShownCode},
};
use secrecy::{ExposeSecret, SecretString};

use crate::backoff;

/// A code that could not be drawn is drawn again after this, if its renderer is
/// not paused for longer.
const DRAW_AGAIN: Duration = Duration::from_secs(1);

/// The code that a session shows, as clients get it.
#[derive(Clone)]
pub(crate) struct LiveCode {
    pub(crate) shown: ShownCode,
    /// The QR image's data URL, or the eight characters. None: the renderer
    /// plugin failed.
    pub(crate) text: Option<Arc<str>>,
    /// When it is to be drawn again, if the renderer failed.
    pub(crate) draw_again_at: Option<Timestamp>,
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
        drawing: Drawing<'_>,
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
                Some(LiveCode { shown, text, draw_again_at: None, payload: None })
            }
            CodeKind::Qr => {
                let payload = self.qr.clone()?;
                let (text, draw_again_at) = drawing.draw(&payload).await;
                Some(LiveCode { shown, text, draw_again_at, payload: Some(payload) })
            }
        }
    }

    /// When the code that is shown is to be drawn again, if it is of use then.
    pub(crate) fn draw_again_at(&self) -> Option<Timestamp> {
        let live = self.live.as_ref()?;
        live.draw_again_at.filter(|time| *time < live.shown.expires_at)
    }

    /// Tells whether there is an image now.
    pub(crate) async fn draw_again(&mut self, drawing: Drawing<'_>) -> bool {
        let Some(live) = &mut self.live else { return false };
        let Some(payload) = &live.payload else { return false };
        (live.text, live.draw_again_at) = drawing.draw(payload).await;
        live.text.is_some()
    }
}

/// Draws a session's codes.
#[derive(Clone, Copy)]
pub(crate) struct Drawing<'a> {
    pub(crate) session: &'a SessionName,
    pub(crate) renderer: &'a dyn QrRenderer,
    pub(crate) clock: &'a SharedClock,
}

impl Drawing<'_> {
    /// The image's data URL, or when to draw again.
    async fn draw(self, payload: &SecretString) -> (Option<Arc<str>>, Option<Timestamp>) {
        match self.renderer.render(self.session, payload, RenderOptions::default()).await {
            Ok(image) => (Some(data_url(&image)), None),
            Err(error) => {
                // The renderer knows the secret, so what it says is not for logs.
                tracing::error!(session.name = %self.session, kind = error.kind(), "a QR code could not be drawn; trying again while it is live");
                let rest = backoff::pause(&error).unwrap_or_default().max(DRAW_AGAIN);
                (None, Some(self.clock.now().after(rest)))
            }
        }
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
