//! An SVG: a white square, and one path with a bar for each run of dark modules.

use std::fmt::Write as _;

use qrcode::Color;

use crate::{bindings::exports::pairing_console::qr::renderer::Image, matrix::Matrix};

pub(crate) fn draw(matrix: &Matrix, size: u32) -> Image {
    let edge = matrix.edge;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{size}" height="{size}" viewBox="0 0 {edge} {edge}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{edge}v{edge}H0z"/><path fill="#000" d=""##
    );
    for (y, row) in (matrix.quiet_zone..).zip(matrix.rows()) {
        let mut x = matrix.quiet_zone;
        for run in row.chunk_by(|left, right| left == right) {
            let length = u32::try_from(run.len()).unwrap_or(0);
            if run[0] == Color::Dark {
                // Writing into a text can't fail.
                let _ = write!(svg, "M{x} {y}h{length}v1h-{length}z");
            }
            x += length;
        }
    }
    svg.push_str(r#""/></svg>"#);
    Image { media_type: "image/svg+xml".into(), width: size, height: size, bytes: svg.into_bytes() }
}
