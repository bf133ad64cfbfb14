//! Drawing QR codes, as the host sees it; mirrors `wit/qr`.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::{
    id::SessionName,
    plugin::{PluginError, PluginInfo},
};

/// The kind of image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageFormat {
    /// 1-bit greyscale PNG.
    Png,
    /// SVG 1.1.
    Svg,
}

/// How much of the code may be unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorLevel {
    /// About 7 %.
    Low,
    /// About 15 %.
    Medium,
    /// About 25 %.
    Quartile,
    /// About 30 %.
    High,
}

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RenderOptions {
    /// The kind of image.
    pub format: ImageFormat,
    /// Wished edge in pixels, quiet zone included, 64 to 4096.
    pub size: u32,
    /// Width of the empty border in modules, 0 to 16.
    pub quiet_zone: u32,
    /// Error correction.
    pub error_level: ErrorLevel,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { format: ImageFormat::Png, size: 400, quiet_zone: 4, error_level: ErrorLevel::Low }
    }
}

/// An image. It shows a live secret, so it has no `Debug`.
#[derive(Clone)]
pub struct Image {
    /// `image/png` or `image/svg+xml`.
    pub media_type: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Draws QR codes.
#[async_trait]
pub trait QrRenderer: Send + Sync + 'static {
    /// The component that draws now.
    fn info(&self) -> PluginInfo;

    /// Draws for a session. A call that is cut off is made once more on a fresh
    /// instance before it fails.
    async fn render(
        &self,
        session: &SessionName,
        payload: &SecretString,
        options: RenderOptions,
    ) -> Result<Image, PluginError>;
}
