use qrcode::Color;

use super::*;
use crate::bindings::exports::pairing_console::qr::renderer::ErrorLevel;

const PAYLOAD_LENGTH: usize = 240;

fn options(format: Format) -> Options {
    Options { format, size: 400, quiet_zone: 4, error_level: ErrorLevel::Low, extra: Vec::new() }
}

fn payload() -> String {
    format!("2@{},k==,i==,s==,1", "aB3/+".repeat(PAYLOAD_LENGTH))
        .chars()
        .take(PAYLOAD_LENGTH)
        .collect()
}

/// Colour type, width, height and rows of grey values.
fn decoded(file: &[u8]) -> (::png::ColorType, ::png::BitDepth, u32, u32) {
    let decoder = ::png::Decoder::new(std::io::Cursor::new(file));
    let reader = decoder.read_info().unwrap();
    let info = reader.info();
    (info.color_type, info.bit_depth, info.width, info.height)
}

/// What a phone would read.
fn scanned(file: &[u8]) -> String {
    // A camera's picture is not sharper; the reader's arithmetic ends there too.
    let picture = image::load_from_memory(file).unwrap();
    let grey = picture.thumbnail(800.min(picture.width()), 800.min(picture.height())).to_luma8();
    let mut prepared = rqrr::PreparedImage::prepare(grey);
    let grids = prepared.detect_grids();
    assert_eq!(grids.len(), 1, "there is one code in the picture");
    grids[0].decode().unwrap().1
}

#[test]
fn a_phone_reads_the_payload_from_the_png() {
    for text in [payload(), "https://wa.me/settings/linked_devices#2@x".into(), "é✓".into()] {
        let image = Renderer::render(text.clone(), options(Format::Png)).unwrap();
        assert_eq!(image.media_type, "image/png");
        assert_eq!(scanned(&image.bytes), text);
    }
}

#[test]
fn a_phone_reads_small_and_large_pictures() {
    for size in [64, 1024, 1025, 4096] {
        let asked = Options { size, ..options(Format::Png) };
        let image = Renderer::render("2@small,enough".into(), asked).unwrap();
        assert_eq!(scanned(&image.bytes), "2@small,enough", "{size}");
    }
}

#[test]
fn the_png_is_one_bit_grey_and_small() {
    let image = Renderer::render(payload(), options(Format::Png)).unwrap();
    let (color, depth, width, height) = decoded(&image.bytes);
    assert_eq!((color, depth), (::png::ColorType::Grayscale, ::png::BitDepth::One));
    assert_eq!((width, height), (image.width, image.height));
    assert!(image.bytes.len() < 4096, "{} bytes", image.bytes.len());
}

#[test]
fn a_png_has_the_largest_whole_number_of_pixels_a_module_that_fits() {
    // 240 bytes need version 10 at the low level: 57 modules, with the border 65.
    for (size, quiet_zone, edge) in
        [(400, 4, 390), (130, 4, 130), (129, 4, 65), (64, 4, 65), (64, 0, 57), (4096, 16, 4094)]
    {
        let asked = Options { size, quiet_zone, ..options(Format::Png) };
        let image = Renderer::render(payload(), asked).unwrap();
        assert_eq!((image.width, image.height), (edge, edge), "size {size}, border {quiet_zone}");
        assert!(image.bytes.len() <= 256 * 1024);
    }
}

#[test]
fn error_levels_make_denser_codes() {
    let modules =
        |error_level| Matrix::of(&payload(), error_level, 0).map(|matrix| matrix.edge).unwrap();
    let edges =
        [ErrorLevel::Low, ErrorLevel::Medium, ErrorLevel::Quartile, ErrorLevel::High].map(modules);
    assert!(edges.is_sorted_by(|less, more| less < more), "{edges:?}");
}

#[test]
fn the_svg_has_the_same_modules_as_the_matrix() {
    let image = Renderer::render(payload(), options(Format::Svg)).unwrap();
    assert_eq!((image.media_type.as_str(), image.width, image.height), ("image/svg+xml", 400, 400));
    let svg = String::from_utf8(image.bytes).unwrap();
    let matrix = Matrix::of(&payload(), ErrorLevel::Low, 4).unwrap();
    assert!(svg.contains(r#"viewBox="0 0 65 65""#));

    let path = svg.split(r#"d=""#).nth(2).unwrap().split('"').next().unwrap();
    let mut drawn = vec![vec![Color::Light; 57]; 57];
    for bar in path.split('M').skip(1) {
        let (place, rest) = bar.split_once('h').unwrap();
        let (x, y) = place.split_once(' ').unwrap();
        let length: usize = rest.split('v').next().unwrap().parse().unwrap();
        let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
        drawn[y - 4][x - 4..x - 4 + length].fill(Color::Dark);
    }
    assert!(matrix.rows().eq(drawn.iter().map(Vec::as_slice)));
}

#[test]
fn what_can_not_be_drawn_is_refused_with_the_reason() {
    let render = |payload: &str, options| Renderer::render(payload.into(), options).map(|_| ());
    let png = || options(Format::Png);
    assert_eq!(render("", png()), Err(RenderError::PayloadEmpty));
    // The densest code holds 2953 bytes at the low level and 1273 at the high.
    assert_eq!(render(&"a".repeat(2953), png()), Ok(()));
    assert_eq!(render(&"a".repeat(2954), png()), Err(RenderError::PayloadTooLong(2954)));
    let high = Options { error_level: ErrorLevel::High, ..png() };
    assert_eq!(render(&"a".repeat(1274), high), Err(RenderError::PayloadTooLong(1274)));
    for size in [0, 63, 4097, u32::MAX] {
        let refused = render("a", Options { size, ..png() });
        assert!(
            matches!(&refused, Err(RenderError::BadOption(text)) if text.contains("64 to 4096")),
            "{refused:?}"
        );
    }
    let refused = render("a", Options { quiet_zone: 17, ..png() });
    assert!(
        matches!(&refused, Err(RenderError::BadOption(text)) if text.contains("0 to 16")),
        "{refused:?}"
    );
}

#[test]
fn the_largest_picture_of_the_densest_code_keeps_the_limit() {
    let asked = Options { size: 4096, ..options(Format::Png) };
    let image = Renderer::render("a".repeat(2953), asked).unwrap();
    assert!(image.bytes.len() <= 256 * 1024, "{} bytes", image.bytes.len());
    let asked = Options { size: 4096, ..options(Format::Svg) };
    let image = Renderer::render("a".repeat(2953), asked).unwrap();
    assert!(image.bytes.len() <= 256 * 1024, "{} bytes", image.bytes.len());
}

#[test]
fn it_says_what_it_is() {
    let description = Renderer::describe();
    assert_eq!(description.name, "qr-renderer");
    assert_eq!(description.version, env!("CARGO_PKG_VERSION"));
}
