//! The phone reads a QR from pixels: as our renderer draws it, large or one
//! pixel per module, and on a transparent ground.

#![expect(clippy::unwrap_used, reason = "a test should end where a step failed")]

use std::io::Cursor;

use image::{DynamicImage, GrayAlphaImage, ImageFormat, LumaA};
use qrcode::{Color, QrCode};
use standin::{QrImageError, read_qr, read_qr_data_url};

const TEXT: &str = "2@abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/abcdefghijklmnopqrstuvwxyz==,bm9pc2U=,aWRlbnRpdHk=,c2VjcmV0,1";

fn png(pixels_per_module: u32, transparent: bool) -> Vec<u8> {
    let code = QrCode::new(TEXT).unwrap();
    let side = u32::try_from(code.width()).unwrap() + 8;
    let picture =
        GrayAlphaImage::from_fn(side * pixels_per_module, side * pixels_per_module, |x, y| {
            let at =
                |pixel: u32| usize::try_from(pixel / pixels_per_module).unwrap().wrapping_sub(4);
            let dark =
                at(x) < code.width() && at(y) < code.width() && code[(at(x), at(y))] == Color::Dark;
            match (dark, transparent) {
                (true, _) => LumaA([0, 255]),
                (false, true) => LumaA([0, 0]),
                (false, false) => LumaA([255, 255]),
            }
        });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn it_reads_what_is_drawn() {
    for (pixels, transparent) in [(8, false), (4, false), (2, false), (6, true)] {
        assert_eq!(
            read_qr(&png(pixels, transparent)).unwrap(),
            TEXT,
            "{pixels} pixels per module, transparent: {transparent}"
        );
    }
}

#[test]
fn it_says_what_it_could_not_read() {
    assert!(matches!(read_qr_data_url("hello"), Err(QrImageError::DataUrl)));
    assert!(matches!(read_qr_data_url("data:image/png;base64,AAAA"), Err(QrImageError::Png(_))));
    let white = DynamicImage::from(image::GrayImage::from_pixel(200, 200, image::Luma([255])));
    let mut bytes = Cursor::new(Vec::new());
    white.write_to(&mut bytes, ImageFormat::Png).unwrap();
    assert!(matches!(read_qr(bytes.get_ref()), Err(QrImageError::NoQr)));
}
