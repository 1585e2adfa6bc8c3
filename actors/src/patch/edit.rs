//! The new content of an updated file. Each line of the file keeps its line end, new lines get that of the line before
//! them, and the file has a final newline afterwards if it had one before. Lines of a hunk that stay are taken from the
//! file, because the patch may write them differently.

use super::bounds::Bounds;
use super::error::{After, PatchError, quoted};
use super::matching::{Exhausted, Finder};
use super::parse::{Chunk, Line};

/// What some editors put before the first line.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A line of a file.
#[derive(Clone, Copy)]
struct FileLine<'a> {
    text: &'a str,
    /// `"\n"`, `"\r\n"`, or nothing.
    end: &'a str,
}

/// What the file at `path` holds after the hunks, if it holds `old` before. Each comparison of two lines is taken from
/// `comparisons`.
///
/// # Errors
/// The file does not have the lines that the hunks expect, has too many lines, or there were too many comparisons.
pub fn edited(
    path: &str,
    old: &str,
    chunks: &[Chunk],
    bounds: &Bounds,
    comparisons: &mut u64,
) -> Result<String, PatchError> {
    let (mark, text) = old.split_at(if old.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 });
    if memchr::memchr_iter(b'\n', text.as_bytes()).nth(bounds.file_lines).is_some() {
        return Err(PatchError::TooLarge { path: path.to_owned(), limit: format!("{} lines", bounds.file_lines) });
    }
    let lines: Vec<FileLine<'_>> = text.split_inclusive('\n').map(FileLine::new).collect();
    let places = places(path, &lines, chunks, comparisons)?;
    let usual = usual_end(&lines);
    let mut new = with_hunks(&lines, &places, usual);
    if let Some((last, others)) = new.split_last_mut() {
        others.iter_mut().filter(|line| line.end.is_empty()).for_each(|line| line.end = usual);
        if !text.is_empty() && !text.ends_with('\n') {
            last.end = "";
        }
    }
    Ok(std::iter::once(mark).chain(new.iter().flat_map(|line| [line.text, line.end])).collect())
}

impl<'a> FileLine<'a> {
    fn new(line: &'a str) -> Self {
        let text = line.strip_suffix('\n').map_or(line, |text| text.strip_suffix('\r').unwrap_or(text));
        Self { text, end: &line[text.len()..] }
    }
}

/// The hunks with the indexes of the lines before which they begin, from the top down.
fn places<'a>(
    path: &str,
    lines: &[FileLine<'_>],
    chunks: &'a [Chunk],
    comparisons: &mut u64,
) -> Result<Vec<(usize, &'a Chunk)>, PatchError> {
    let finder = Finder::new(lines.iter().map(|line| line.text));
    let mut find = |wanted: &[&str], from, at_end| {
        let found = finder.find(wanted, from, at_end, comparisons);
        found.map_err(|Exhausted| PatchError::TooMuchWork(path.to_owned()))
    };
    let (mut places, mut from) = (Vec::new(), 0);
    for chunk in chunks {
        for anchor in &chunk.anchors {
            let place = find(&[anchor], from, false)?.ok_or_else(|| PatchError::AnchorNotFound {
                path: path.to_owned(),
                anchor: quoted(anchor),
                after: After(from),
            })?;
            from = place + 1;
        }
        let wanted = chunk.old_lines();
        let place = match wanted.is_empty() {
            true if chunk.anchors.is_empty() || chunk.is_at_end => lines.len(),
            true => from,
            false => {
                let found = find(&wanted, from, chunk.is_at_end)?;
                let place = found.ok_or_else(|| not_found(path, &wanted, from, chunk.is_at_end))?;
                from = place + wanted.len();
                place
            }
        };
        places.push((place, chunk));
    }
    // What is appended comes after everything else.
    places.sort_by_key(|(place, _)| *place);
    Ok(places)
}

fn not_found(path: &str, wanted: &[&str], from: usize, at_end: bool) -> PatchError {
    let (path, lines) = (path.to_owned(), quoted(&wanted.join("\n")));
    if at_end {
        PatchError::NotAtEnd { path, lines }
    } else {
        PatchError::LinesNotFound { path, lines, after: After(from) }
    }
}

fn with_hunks<'a>(lines: &[FileLine<'a>], places: &[(usize, &'a Chunk)], usual: &'a str) -> Vec<FileLine<'a>> {
    let (mut new, mut at) = (Vec::with_capacity(lines.len()), 0);
    for (place, chunk) in places {
        new.extend_from_slice(&lines[at..*place]);
        at = *place;
        for line in &chunk.lines {
            match line {
                Line::Kept(_) => {
                    new.push(lines[at]);
                    at += 1;
                }
                Line::Removed(_) => at += 1,
                Line::Added(text) => {
                    let before = at.checked_sub(1).map(|before| lines[before].end);
                    let near = [before, lines.get(at).map(|line| line.end)];
                    let end = near.into_iter().flatten().find(|end| !end.is_empty()).unwrap_or(usual);
                    new.push(FileLine { text, end });
                }
            }
        }
    }
    new.extend_from_slice(&lines[at..]);
    new
}

/// The line end that most lines have.
fn usual_end(lines: &[FileLine<'_>]) -> &'static str {
    let count = |end| lines.iter().filter(|line| line.end == end).count();
    if count("\r\n") > count("\n") { "\r\n" } else { "\n" }
}
