//! A QR code in a terminal.

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

/// Black on white, whatever the terminal's colours are, because scanners need dark modules.
const PAPER: &str = "\x1b[30;107m";
const PLAIN: &str = "\x1b[0m";

/// Widths of the white frame, in modules, the best one first. The standard asks for 4; cameras manage with less.
const FRAMES: [usize; 2] = [4, 2];

/// A drawing.
pub struct Drawing {
    /// Its lines, with their ends.
    pub lines: Vec<String>,
    /// Its width.
    pub columns: usize,
}

/// `text` as a QR code of at most `rows` lines and `columns` columns; `None` if it does not fit. The lowest error correction
/// makes the smallest code, and a screen has no stains.
pub fn draw(text: &str, rows: usize, columns: usize) -> Option<Drawing> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let image = code.render::<Dense1x2>().quiet_zone(false).build();
    let lines: Vec<&str> = image.lines().collect();
    let width = lines.first()?.chars().count();
    // A line holds two rows of modules.
    let frame = FRAMES.into_iter().find(|frame| lines.len() + frame <= rows && width + 2 * frame <= columns)?;
    let side = " ".repeat(frame);
    let blank = " ".repeat(width);
    let above_or_below = std::iter::repeat_n(blank.as_str(), frame / 2);
    let all = above_or_below.clone().chain(lines).chain(above_or_below);
    let lines = all.map(|line| format!("{PAPER}{side}{line}{side}{PLAIN}\n")).collect();
    Some(Drawing { lines, columns: width + 2 * frame })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(drawing: &Drawing) -> (usize, usize) {
        let inner = |line: &String| Some(line.trim_end().strip_prefix(PAPER)?.strip_suffix(PLAIN)?.chars().count());
        assert!(drawing.lines.iter().all(|line| inner(line) == Some(drawing.columns)), "it is a rectangle");
        (drawing.lines.len(), drawing.columns)
    }

    #[test]
    fn the_frame_shrinks_before_the_code_is_left_out() {
        let code = "a-code-of-forty-eight-characters-for-cameras-123";
        let (rows, columns) = size(&draw(code, 100, 100).unwrap());
        assert_eq!(rows, columns.div_ceil(2), "two rows a line");
        let (smaller, _) = size(&draw(code, rows - 1, 100).unwrap());
        assert_eq!(smaller, rows - 2);
        assert!(draw(code, smaller - 1, 100).is_none() && draw(code, 100, columns - 5).is_none());
        assert!(rows <= 19, "{rows} rows leave room for the words at 24");
    }

    #[test]
    fn what_no_code_can_hold_is_left_out() {
        assert!(draw(&"x".repeat(3000), 1000, 1000).is_none());
    }
}
