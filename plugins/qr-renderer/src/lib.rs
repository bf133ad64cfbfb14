//! Draws QR codes: opaque text in, a 1-bit PNG or an SVG out.
//!
//! The text is a live secret. This component imports nothing, so it has no way to
//! tell anybody.

pub mod bindings;
mod mask;
mod matrix;
mod options;
mod png;
mod svg;

use bindings::exports::pairing_console::qr::renderer::{
    Description, Format, Guest, Image, Options, RenderError,
};
use matrix::Matrix;

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

#[cfg(test)]
mod tests;
