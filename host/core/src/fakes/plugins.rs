//! A renderer and a fan-out without a sandbox.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::{
    event::{EventData, JournalEvent},
    fan_out::{Delivery, FanOut, Interest, PAIRING_CODE_PLACEHOLDER, QR_CODE_PLACEHOLDER},
    id::SessionName,
    plugin::{PluginDigest, PluginError, PluginInfo, Slot},
    renderer::{Image, QrRenderer, RenderOptions},
};

fn info(slot: Slot) -> PluginInfo {
    PluginInfo {
        slot,
        digest: PluginDigest("0".repeat(64).into()),
        name: "fake".into(),
        version: "0.0.0".into(),
        source: "embedded".into(),
    }
}

/// "Draws" the payload as it is.
#[derive(Debug, Default)]
pub struct FakeRenderer {
    held: watch::Sender<bool>,
}

impl FakeRenderer {
    /// Drawing takes until [`FakeRenderer::release`].
    pub fn hold(&self) {
        self.held.send_replace(true);
    }

    /// See [`FakeRenderer::hold`].
    pub fn release(&self) {
        self.held.send_replace(false);
    }
}

#[async_trait]
impl QrRenderer for FakeRenderer {
    fn info(&self) -> PluginInfo {
        info(Slot::QrRenderer)
    }

    async fn render(
        &self,
        _session: &SessionName,
        payload: &SecretString,
        options: RenderOptions,
    ) -> Result<Image, PluginError> {
        // An error would mean that the renderer is gone, and it is here.
        let _ = self.held.subscribe().wait_for(|held| !held).await;
        Ok(Image {
            media_type: "image/png".into(),
            width: options.size,
            height: options.size,
            bytes: payload.expose_secret().as_bytes().to_vec(),
        })
    }
}

/// Routes by session and kind; the body is `{id, sessionName, type, …}`.
#[derive(Debug, Default)]
pub struct FakeFanOut;

#[async_trait]
impl FanOut for FakeFanOut {
    fn info(&self) -> PluginInfo {
        info(Slot::FanOut)
    }

    async fn route(
        &self,
        event: &JournalEvent,
        interests: &[Arc<Interest>],
    ) -> Result<Vec<Delivery>, PluginError> {
        let kind = event.data.kind();
        let mut body = serde_json::json!({
            "id": event.id.to_string(),
            "sessionName": event.session,
            "type": kind,
        });
        match &event.data {
            EventData::QrCode(_) => body["qrCode"] = QR_CODE_PLACEHOLDER.into(),
            EventData::PairingCode(_) => body["pairingCode"] = PAIRING_CODE_PLACEHOLDER.into(),
            _ => {}
        }
        let wants = |interest: &Interest| {
            interest.sessions.as_ref().is_none_or(|names| names.contains(&event.session))
                && interest.types.as_ref().is_none_or(|kinds| kinds.contains(kind))
        };
        let routed = interests.iter().enumerate().filter(|(_, interest)| wants(interest));
        Ok(routed
            .map(|(interest, _)| Delivery { interest, name: kind.into(), body: body.to_string() })
            .collect())
    }
}
