//! From a text to the modules of its code.

use qrcode::{
    Color, EcLevel, bits::encode_auto, canvas::Canvas, ec::construct_codewords, types::QrError,
};

use crate::{
    bindings::exports::pairing_console::qr::renderer::{ErrorLevel, RenderError},
    mask,
};

/// The modules of a code with its border.
pub(crate) struct Matrix {
    /// Modules an edge, border included.
    pub(crate) edge: u32,
    /// Width of the border in modules.
    pub(crate) quiet_zone: u32,
    /// Row by row, without the border.
    modules: Vec<Color>,
}

impl Matrix {
    pub(crate) fn of(
        payload: &str,
        level: ErrorLevel,
        quiet_zone: u32,
    ) -> Result<Self, RenderError> {
        if payload.is_empty() {
            return Err(RenderError::PayloadEmpty);
        }
        let modules = draw(payload, level).map_err(|error| match error {
            QrError::DataTooLong => {
                RenderError::PayloadTooLong(u32::try_from(payload.len()).unwrap_or(u32::MAX))
            }
            other => RenderError::Other(other.to_string()),
        })?;
        let inner = u32::try_from(modules.len().isqrt()).unwrap_or(u32::MAX);
        Ok(Self { edge: inner + 2 * quiet_zone, quiet_zone, modules })
    }

    /// The rows of the code itself; the border is left and right of them, above
    /// and below.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[Color]> {
        self.modules.chunks((self.edge - 2 * self.quiet_zone) as usize)
    }
}

fn draw(payload: &str, level: ErrorLevel) -> Result<Vec<Color>, QrError> {
    let level = match level {
        ErrorLevel::Low => EcLevel::L,
        ErrorLevel::Medium => EcLevel::M,
        ErrorLevel::Quartile => EcLevel::Q,
        ErrorLevel::High => EcLevel::H,
    };
    let bits = encode_auto(payload.as_bytes(), level)?;
    let version = bits.version();
    let (data, correction) = construct_codewords(&bits.into_bytes(), version, level)?;
    let mut canvas = Canvas::new(version, level);
    canvas.draw_all_functional_patterns();
    canvas.draw_data(&data, &correction);
    Ok(mask::apply_best(&canvas, version.width().unsigned_abs().into()))
}
