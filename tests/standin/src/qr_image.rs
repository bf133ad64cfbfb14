//! Reads a QR as a phone does: from the pixels of a PNG.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Why no QR could be read.
#[derive(Debug)]
pub enum QrImageError {
    /// The text is no base64 data URL of an image.
    DataUrl,
    /// The bytes are no PNG.
    Png(String),
    /// No QR is in the picture, or it can't be read.
    NoQr,
}

impl std::fmt::Display for QrImageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DataUrl => f.write_str("expected a base64 data URL of a PNG image"),
            Self::Png(why) => write!(f, "the image is no readable PNG: {why}"),
            Self::NoQr => f.write_str("no readable QR code is in the image"),
        }
    }
}

impl std::error::Error for QrImageError {}

/// Reads the QR in a PNG data URL (`data:image/png;base64,…`).
pub fn read_qr_data_url(data_url: &str) -> Result<String, QrImageError> {
    let (_, base64) = data_url.trim().split_once(";base64,").ok_or(QrImageError::DataUrl)?;
    let png = STANDARD.decode(base64).map_err(|_| QrImageError::DataUrl)?;
    read_qr(&png)
}

/// Reads the QR in a PNG.
pub fn read_qr(png: &[u8]) -> Result<String, QrImageError> {
    let picture =
        image::load_from_memory(png).map_err(|error| QrImageError::Png(error.to_string()))?;
    let luma = flatten(&picture);
    let (width, height) = (luma.width() as usize, luma.height() as usize);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        luma.get_pixel(x as u32, y as u32).0[0]
    });
    let grids = prepared.detect_grids();
    grids.iter().find_map(|grid| grid.decode().ok()).map(|(_, text)| text).ok_or(QrImageError::NoQr)
}

/// Grey values, with white behind whatever is transparent.
fn flatten(picture: &image::DynamicImage) -> image::GrayImage {
    let rgba = picture.to_rgba8();
    image::GrayImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [red, green, blue, alpha] = rgba.get_pixel(x, y).0.map(u32::from);
        let grey = (red * 299 + green * 587 + blue * 114) / 1000;
        let over_white = (grey * alpha + 255 * (255 - alpha)) / 255;
        image::Luma([u8::try_from(over_white).unwrap_or(255)])
    })
}
