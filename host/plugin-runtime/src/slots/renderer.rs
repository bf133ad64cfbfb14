//! The QR renderer. Its input is a live secret, so no error tells any of it.

use async_trait::async_trait;
use pairing_core::{
    id::SessionName,
    plugin::{PluginError, PluginInfo, Slot},
    renderer::{ErrorLevel, Image, ImageFormat, QrRenderer, RenderOptions},
};
use secrecy::{ExposeSecret, SecretString};
use wasmtime::component::InstancePre;

use crate::{
    bindings::{qr::QrRendererPre, renderer as wit},
    call::{Call, CallState},
    config::Limits,
    error::Refusal,
    load::Interface,
    measure::at_most,
    plugin::{Named, Plugin, Served, World},
    routes::Caller,
};

const SLOT: Slot = Slot::QrRenderer;

pub(crate) struct RendererWorld {
    pre: QrRendererPre<CallState>,
}

impl Served for RendererWorld {}

impl World for RendererWorld {
    const SLOT: Slot = SLOT;
    const NAME: &'static str = "qr-renderer";
    const INTERFACE: &'static str = "pairing-console:qr/renderer@0.1.0";
    const REFUSAL_IS_FAILURE: bool = false;
    type Linked = QrRendererPre<CallState>;

    fn compare(guest: &mut Interface) -> Result<(), Refusal> {
        guest.has::<(), (wit::Description,)>("describe")?;
        guest.has::<(&str, &wit::Options), (Result<wit::Image, wit::RenderError>,)>("render")
    }

    fn link(pre: InstancePre<CallState>) -> wasmtime::Result<Self::Linked> {
        QrRendererPre::new(pre)
    }

    fn describe(pre: Self::Linked, call: &mut Call) -> Result<(Self, Named), PluginError> {
        let said = call.enter(|store| {
            let guest = pre.instantiate(&mut *store)?;
            guest.pairing_console_qr_renderer().call_describe(store)
        })?;
        Ok((Self { pre }, Named { name: said.name, version: said.version }))
    }
}

#[async_trait]
impl QrRenderer for Plugin<RendererWorld> {
    fn info(&self) -> PluginInfo {
        Plugin::info(self)
    }

    async fn render(
        &self,
        session: &SessionName,
        payload: &SecretString,
        options: RenderOptions,
    ) -> Result<Image, PluginError> {
        at_most(SLOT, "the payload", payload.expose_secret().len(), self.limits().bytes)?;
        let payload = payload.clone();
        let caller = Caller { session, schema: None };
        self.call(caller, move |version, call, limits| {
            version.world.draw(call, limits, payload.expose_secret(), options)
        })
        .await
    }
}

impl RendererWorld {
    /// One image, checked.
    pub(crate) fn draw(
        &self,
        call: &mut Call,
        limits: &Limits,
        payload: &str,
        options: RenderOptions,
    ) -> Result<Image, PluginError> {
        let options = convert(options);
        let drawn = call.enter(|store| {
            let guest = self.pre.instantiate(&mut *store)?;
            guest.pairing_console_qr_renderer().call_render(store, payload, &options)
        })?;
        let image = drawn.map_err(refusal)?;
        at_most(SLOT, "the image", image.bytes.len(), limits.bytes)?;
        check(image, options.format)
    }
}

fn convert(options: RenderOptions) -> wit::Options {
    wit::Options {
        format: match options.format {
            ImageFormat::Png => wit::Format::Png,
            ImageFormat::Svg => wit::Format::Svg,
        },
        size: options.size,
        quiet_zone: options.quiet_zone,
        error_level: match options.error_level {
            ErrorLevel::Low => wit::ErrorLevel::Low,
            ErrorLevel::Medium => wit::ErrorLevel::Medium,
            ErrorLevel::Quartile => wit::ErrorLevel::Quartile,
            ErrorLevel::High => wit::ErrorLevel::High,
        },
        extra: Vec::new(),
    }
}

/// The media type becomes a header and a data URL, so it is one of two.
fn check(image: wit::Image, format: wit::Format) -> Result<Image, PluginError> {
    let expected = match format {
        wit::Format::Png => "image/png",
        wit::Format::Svg => "image/svg+xml",
    };
    if image.media_type != expected {
        return Err(refused(format!("it was to draw {expected} and drew something else")));
    }
    let wit::Image { media_type, width, height, bytes } = image;
    Ok(Image { media_type, width, height, bytes })
}

/// A component's own words may hold the payload, so they are left out.
fn refusal(error: wit::RenderError) -> PluginError {
    refused(match error {
        wit::RenderError::PayloadEmpty => "there is nothing to draw".into(),
        wit::RenderError::PayloadTooLong(most) => {
            format!("the payload has more than the {most} bytes that a code can hold")
        }
        wit::RenderError::BadOption(_) => {
            "an option is out of its range: size 64 to 4096, quiet zone 0 to 16".into()
        }
        wit::RenderError::Other(_) => "it could not draw this".into(),
    })
}

fn refused(message: impl Into<String>) -> PluginError {
    PluginError::Refused { slot: SLOT, message: message.into() }
}
