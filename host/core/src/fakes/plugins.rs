//! A renderer and a fan-out without a sandbox.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::{
    event::{Cursor, EventData, JournalEvent},
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

/// How the next calls go wrong, one after the other.
#[derive(Debug, Default)]
struct Faults(Mutex<VecDeque<PluginError>>);

impl Faults {
    fn add(&self, errors: impl IntoIterator<Item = PluginError>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(errors);
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn next(&self) -> Result<(), PluginError> {
        let fault = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        fault.map_or(Ok(()), Err)
    }
}

/// "Draws" the payload as it is.
#[derive(Debug, Default)]
pub struct FakeRenderer {
    held: watch::Sender<bool>,
    faults: Faults,
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

    /// The next calls fail, one after the other.
    pub fn go_wrong(&self, errors: impl IntoIterator<Item = PluginError>) {
        self.faults.add(errors);
    }

    /// How many calls are still to fail.
    pub fn faults_left(&self) -> usize {
        self.faults.left()
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
        self.faults.next()?;
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
pub struct FakeFanOut {
    faults: Faults,
    poison: Mutex<BTreeSet<Cursor>>,
}

impl FakeFanOut {
    /// The next calls fail, one after the other.
    pub fn go_wrong(&self, errors: impl IntoIterator<Item = PluginError>) {
        self.faults.add(errors);
    }

    /// How many calls are still to fail.
    pub fn faults_left(&self) -> usize {
        self.faults.left()
    }

    /// Every attempt to route the event at this place fails.
    pub fn poison(&self, place: Cursor) {
        self.poison.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
    }
}

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
        self.faults.next()?;
        if self.poison.lock().unwrap_or_else(PoisonError::into_inner).contains(&event.id) {
            let message = "the fake fan-out was told to trap".into();
            return Err(PluginError::Trapped { slot: Slot::FanOut, message });
        }
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
