//! Chooses a code's mask: of the standard's eight, the one whose picture is the
//! easiest to scan.
//!
//! The library's own choice takes most of the time of a whole drawing, because it
//! looks up every module dozens of times. This one makes the same choice in one
//! pass over the rows and one over the columns.

use qrcode::{
    Color,
    canvas::{Canvas, MaskPattern},
};

const MASKS: [MaskPattern; 8] = [
    MaskPattern::Checkerboard,
    MaskPattern::HorizontalLines,
    MaskPattern::VerticalLines,
    MaskPattern::DiagonalLines,
    MaskPattern::LargeCheckerboard,
    MaskPattern::Fields,
    MaskPattern::Diamonds,
    MaskPattern::Meadow,
];

/// A finder's cross-section, which must not be met elsewhere; it counts when four
/// light modules stand before or after it.
const FINDER: u16 = 0b101_1101;
const FINDER_BITS: u16 = 7;
const SIDE_BITS: u16 = 4;

/// The modules, row by row, under the best mask.
pub(crate) fn apply_best(canvas: &Canvas, edge: usize) -> Vec<Color> {
    let masked = MASKS.map(|mask| {
        let mut canvas = canvas.clone();
        canvas.apply_mask(mask);
        canvas.into_colors()
    });
    let best = masked.into_iter().min_by_key(|modules| penalty(modules, edge));
    best.unwrap_or_default()
}

/// The standard's measure of what disturbs a reader (ISO/IEC 18004, 7.8.3).
fn penalty(modules: &[Color], edge: usize) -> u32 {
    let rows: Vec<&[Color]> = modules.chunks(edge).collect();
    let mut columns = vec![Line::new(); edge];
    let mut score = 0;
    let mut dark = 0;
    for (y, row) in rows.iter().enumerate() {
        let mut line = Line::new();
        for (x, module) in row.iter().enumerate() {
            let is_dark = *module == Color::Dark;
            dark += usize::from(is_dark);
            line.push(is_dark);
            columns[x].push(is_dark);
            let is_block = x > 0
                && y > 0
                && row[x - 1] == *module
                && rows[y - 1][x - 1] == *module
                && rows[y - 1][x] == *module;
            score += if is_block { 3 } else { 0 };
        }
        score += line.end();
    }
    score += columns.into_iter().map(Line::end).sum::<u32>();
    // Twice the percents by which dark and light are out of balance.
    let share = dark * 200 / modules.len().max(1);
    score + u32::try_from(share.abs_diff(100)).unwrap_or(u32::MAX)
}

/// A row or column while it is read.
#[derive(Clone)]
struct Line {
    score: u32,
    last: Option<bool>,
    run: u32,
    /// The last modules, the newest in the lowest bit. Beyond the edge is light.
    seen: u16,
}

impl Line {
    fn new() -> Self {
        Self { score: 0, last: None, run: 0, seen: 0 }
    }

    fn push(&mut self, is_dark: bool) {
        if self.last == Some(is_dark) {
            self.run += 1;
        } else {
            self.end_run();
            (self.last, self.run) = (Some(is_dark), 1);
        }
        self.look(is_dark);
    }

    fn end(mut self) -> u32 {
        self.end_run();
        for _ in 0..SIDE_BITS {
            self.look(false);
        }
        self.score
    }

    /// Five or more of one colour in a row.
    fn end_run(&mut self) {
        if self.run >= 5 {
            self.score += self.run - 2;
        }
    }

    fn look(&mut self, is_dark: bool) {
        self.seen = self.seen << 1 | u16::from(is_dark);
        let bits = |from: u16, count: u16| self.seen >> from & ((1 << count) - 1);
        let is_finder = bits(SIDE_BITS, FINDER_BITS) == FINDER;
        let is_apart = bits(0, SIDE_BITS) == 0 || bits(SIDE_BITS + FINDER_BITS, SIDE_BITS) == 0;
        self.score += if is_finder && is_apart { 40 } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use qrcode::{EcLevel, QrCode, bits::encode_auto, ec::construct_codewords};

    use super::*;

    #[test]
    fn the_choice_is_the_librarys_own() {
        for length in (1..900).step_by(23) {
            for (level, letters) in [(EcLevel::L, "aB3/+2@x"), (EcLevel::H, "0123456789")] {
                let text: String = letters.chars().cycle().take(length).collect();
                let expected = QrCode::with_error_correction_level(&text, level).unwrap();
                let edge = expected.width();
                let bits = encode_auto(text.as_bytes(), level).unwrap();
                let version = bits.version();
                let (data, ec) = construct_codewords(&bits.into_bytes(), version, level).unwrap();
                let mut canvas = Canvas::new(version, level);
                canvas.draw_all_functional_patterns();
                canvas.draw_data(&data, &ec);
                assert!(apply_best(&canvas, edge) == expected.into_colors(), "{length} {level:?}");
            }
        }
    }
}
