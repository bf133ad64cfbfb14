//! A QR renderer for tests that draws in blue, so that everybody sees which of two
//! renderers drew a code.

pub mod bindings;

use bindings::exports::pairing_console::qr::renderer::{
    Description, ErrorLevel, Format, Guest, Image, Options, RenderError,
};
use png::{BitDepth, ColorType, Encoder, EncodingError};
use qrcode::{Color, EcLevel, QrCode, types::QrError};

/// Red, green and blue of a dark module, and of a light one.
const PALETTE: [u8; 6] = [0, 0, 0xff, 0xff, 0xff, 0xff];

/// The component.
pub struct BlueRenderer;

impl Guest for BlueRenderer {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            extra: Vec::new(),
        }
    }

    fn render(payload: String, options: Options) -> Result<Image, RenderError> {
        if payload.is_empty() {
            return Err(RenderError::PayloadEmpty);
        }
        let level = match options.error_level {
            ErrorLevel::Low => EcLevel::L,
            ErrorLevel::Medium => EcLevel::M,
            ErrorLevel::Quartile => EcLevel::Q,
            ErrorLevel::High => EcLevel::H,
        };
        let code = QrCode::with_error_correction_level(&payload, level);
        let code = code.map_err(|error| match error {
            QrError::DataTooLong => {
                RenderError::PayloadTooLong(u32::try_from(payload.len()).unwrap_or(u32::MAX))
            }
            other => RenderError::Other(other.to_string()),
        })?;
        let quiet_zone = options.quiet_zone as usize;
        let edge = code.width() + 2 * quiet_zone;
        let is_dark = |x: usize, y: usize| {
            let place = |at: usize| at.checked_sub(quiet_zone).filter(|at| *at < code.width());
            place(x).zip(place(y)).is_some_and(|place| code[place] == Color::Dark)
        };
        match options.format {
            Format::Png => {
                let scale = (options.size as usize / edge).max(1);
                draw_png(edge * scale, |x, y| is_dark(x / scale, y / scale))
                    .map_err(|error| RenderError::Other(error.to_string()))
            }
            Format::Svg => Ok(draw_svg(edge, options.size, is_dark)),
        }
    }
}

fn draw_png(edge: usize, is_dark: impl Fn(usize, usize) -> bool) -> Result<Image, EncodingError> {
    let mut rows = vec![0; edge.div_ceil(8) * edge];
    for (y, row) in rows.chunks_mut(edge.div_ceil(8)).enumerate() {
        for x in (0..edge).filter(|x| !is_dark(*x, y)) {
            row[x / 8] |= 0x80 >> (x % 8);
        }
    }
    let edge = u32::try_from(edge).unwrap_or(u32::MAX);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, edge, edge);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::One);
    encoder.set_palette(&PALETTE[..]);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rows)?;
    writer.finish()?;
    Ok(Image { media_type: "image/png".into(), width: edge, height: edge, bytes })
}

fn draw_svg(edge: usize, size: u32, is_dark: impl Fn(usize, usize) -> bool) -> Image {
    let all = (0..edge).flat_map(|y| (0..edge).map(move |x| (x, y)));
    let dark: String =
        all.filter(|(x, y)| is_dark(*x, *y)).map(|(x, y)| format!("M{x} {y}h1v1h-1z")).collect();
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 {edge} {edge}"><path fill="#fff" d="M0 0h{edge}v{edge}H0z"/><path fill="#00f" d="{dark}"/></svg>"##
    );
    Image { media_type: "image/svg+xml".into(), width: size, height: size, bytes: svg.into_bytes() }
}
