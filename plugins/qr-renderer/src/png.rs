//! A 1-bit greyscale PNG: the smallest file that every reader takes.

use png::{BitDepth, ColorType, Compression, DeflateCompression, Encoder, Filter};
use qrcode::Color;

use crate::{
    bindings::exports::pairing_console::qr::renderer::{Image, RenderError},
    matrix::Matrix,
};

/// Pixels an edge. Beyond it a thorough compressor would take longer than a call
/// may; pictures of this size are for printing, not for sending to many.
const LARGE: u32 = 1024;

pub(crate) fn draw(matrix: &Matrix, size: u32) -> Result<Image, RenderError> {
    let scale = (size / matrix.edge).max(1);
    let edge = scale * matrix.edge;
    let bytes = encode(&pixels(matrix, scale), edge)
        .map_err(|error| RenderError::Other(error.to_string()))?;
    Ok(Image { media_type: "image/png".into(), width: edge, height: edge, bytes })
}

/// Rows of whole bytes, a bit a pixel, 1 is white.
fn pixels(matrix: &Matrix, scale: u32) -> Vec<u8> {
    let (scale, border) = (scale as usize, (matrix.quiet_zone * scale) as usize);
    let row_bytes = (matrix.edge as usize * scale).div_ceil(8);
    let white = vec![0xff; row_bytes];
    let mut pixels = Vec::with_capacity(row_bytes * matrix.edge as usize * scale);
    let add = |row: &[u8], times: usize, to: &mut Vec<u8>| {
        for _ in 0..times {
            to.extend_from_slice(row);
        }
    };
    add(&white, border, &mut pixels);
    let mut row = white.clone();
    for modules in matrix.rows() {
        row.copy_from_slice(&white);
        for (place, _) in modules.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
            let from = border + place * scale;
            for x in from..from + scale {
                row[x / 8] &= !(0x80 >> (x % 8));
            }
        }
        add(&row, scale, &mut pixels);
    }
    add(&white, border, &mut pixels);
    pixels
}

fn encode(pixels: &[u8], edge: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, edge, edge);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    if edge <= LARGE {
        // Measured: a higher level takes half as long again for a few bytes less.
        encoder.set_deflate_compression(DeflateCompression::Level(4));
        encoder.set_filter(Filter::NoFilter);
    } else {
        // Most rows equal the one above, so nearly all becomes zero.
        encoder.set_compression(Compression::Fast);
        encoder.set_filter(Filter::Up);
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}
