//! Draws QR codes: opaque text in, a 1-bit PNG or an SVG out.
//!
//! The text is a live secret. This component imports nothing, so it has no way to
//! tell anybody.

pub mod bindings;
mod options;
mod png;
mod svg;

use bindings::exports::pairing_console::qr::renderer::{
    Description, ErrorLevel, Format, Guest, Image, Options, RenderError,
};
use qrcode::{Color, EcLevel, QrCode, types::QrError};

/// The component.
pub struct Renderer;

impl Guest for Renderer {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            extra: Vec::new(),
        }
    }

    fn render(payload: String, options: Options) -> Result<Image, RenderError> {
        options::check(&options)?;
        let matrix = Matrix::of(&payload, options.error_level, options.quiet_zone)?;
        match options.format {
            Format::Png => png::draw(&matrix, options.size),
            Format::Svg => Ok(svg::draw(&matrix, options.size)),
        }
    }
}

/// The modules of a code with its border.
struct Matrix {
    /// Modules an edge, border included.
    edge: u32,
    /// Width of the border in modules.
    quiet_zone: u32,
    /// Row by row, without the border.
    modules: Vec<Color>,
}

impl Matrix {
    fn of(payload: &str, level: ErrorLevel, quiet_zone: u32) -> Result<Self, RenderError> {
        if payload.is_empty() {
            return Err(RenderError::PayloadEmpty);
        }
        let level = match level {
            ErrorLevel::Low => EcLevel::L,
            ErrorLevel::Medium => EcLevel::M,
            ErrorLevel::Quartile => EcLevel::Q,
            ErrorLevel::High => EcLevel::H,
        };
        let code =
            QrCode::with_error_correction_level(payload, level).map_err(|error| match error {
                QrError::DataTooLong => {
                    RenderError::PayloadTooLong(u32::try_from(payload.len()).unwrap_or(u32::MAX))
                }
                other => RenderError::Other(other.to_string()),
            })?;
        let inner = u32::try_from(code.width()).unwrap_or(u32::MAX);
        Ok(Self { edge: inner + 2 * quiet_zone, quiet_zone, modules: code.into_colors() })
    }

    /// The rows of the code itself; the border is left and right of them, above
    /// and below.
    fn rows(&self) -> impl Iterator<Item = &[Color]> {
        self.modules.chunks((self.edge - 2 * self.quiet_zone) as usize)
    }
}

#[cfg(test)]
mod tests;
