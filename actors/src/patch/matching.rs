//! Where the lines of a hunk are in a file.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

/// How exactly lines must be equal, from the strictest.
const LEVELS: [Level; 4] = [Level::Exact, Level::End, Level::BothSides, Level::Punctuation];

#[derive(Clone, Copy)]
enum Level {
    /// All characters.
    Exact,
    /// All but white space at the end.
    End,
    /// All but white space at the beginning and at the end.
    BothSides,
    /// Typographic quotes, dashes and spaces are equal to plain ones, too.
    Punctuation,
}

/// The lines of a file to look in. It compares hashes, which are computed once for each level that is needed, and looks
/// at the text only where all of them are equal.
pub(super) struct Finder<'a> {
    lines: Vec<&'a str>,
    hashes: [OnceCell<Vec<u64>>; LEVELS.len()],
    hasher: RandomState,
}

/// The comparisons that were allowed are used up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

impl<'a> Finder<'a> {
    pub(super) fn new(lines: impl Iterator<Item = &'a str>) -> Self {
        Self { lines: lines.collect(), hashes: Default::default(), hasher: RandomState::default() }
    }

    /// The index of the first place, from the line `from` on, where the lines are `wanted`: one where they are so
    /// exactly, else one where they are so by the next level. With `at_end` only the end of the file is such a place.
    /// Each comparison of two lines is taken from `comparisons`.
    pub(super) fn find(
        &self,
        wanted: &[&str],
        from: usize,
        at_end: bool,
        comparisons: &mut u64,
    ) -> Result<Option<usize>, Exhausted> {
        let Some(last) = self.lines.len().checked_sub(wanted.len()) else { return Ok(None) };
        let first = if at_end { last.max(from) } else { from };
        for (level, known) in LEVELS.into_iter().zip(&self.hashes) {
            let hashes = known.get_or_init(|| self.hashed(&self.lines, level));
            let wanted_hashes = self.hashed(wanted, level);
            for at in first..=last {
                let equal = hashes[at..].iter().zip(&wanted_hashes).take_while(|(a, b)| a == b).count();
                *comparisons = comparisons.checked_sub(1 + equal as u64).ok_or(Exhausted)?;
                if equal == wanted.len() && self.are_equal(at, wanted, level) {
                    return Ok(Some(at));
                }
            }
        }
        Ok(None)
    }

    fn hashed(&self, lines: &[&str], level: Level) -> Vec<u64> {
        lines.iter().map(|line| self.hasher.hash_one(&*folded(line, level))).collect()
    }

    fn are_equal(&self, at: usize, wanted: &[&str], level: Level) -> bool {
        self.lines[at..].iter().zip(wanted).all(|(line, wanted)| folded(line, level) == folded(wanted, level))
    }
}

/// What of a line has to be equal.
fn folded(line: &str, level: Level) -> Cow<'_, str> {
    match level {
        Level::Exact => line.into(),
        Level::End => line.trim_end().into(),
        Level::BothSides => line.trim().into(),
        Level::Punctuation if line.is_ascii() => line.trim().into(),
        Level::Punctuation => line.trim().chars().map(plain).collect::<String>().into(),
    }
}

/// The character of a keyboard that people and models write for a typographic one.
fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2018}'..='\u{201b}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(file: &[&str], wanted: &[&str], from: usize, at_end: bool) -> Option<usize> {
        Finder::new(file.iter().copied()).find(wanted, from, at_end, &mut 1_000_000).unwrap()
    }

    #[test]
    fn the_first_place_behind_the_start_is_taken() {
        let file = ["a", "b", "a", "b", "c"];
        assert_eq!(find(&file, &["a", "b"], 0, false), Some(0));
        assert_eq!(find(&file, &["a", "b"], 1, false), Some(2));
        assert_eq!(find(&file, &["a", "b"], 3, false), None, "above");
        assert_eq!(find(&file, &["c", "d"], 0, false), None, "beyond the end");
        assert_eq!(find(&["a"], &["a", "b"], 0, false), None, "more lines than the file has");
    }

    #[test]
    fn only_the_end_is_the_end() {
        assert_eq!(find(&["a", "b", "a"], &["a"], 0, true), Some(2));
        assert_eq!(find(&["a", "b", "a"], &["b"], 0, true), None);
        assert_eq!(find(&["a", "b"], &["a", "b"], 1, true), None, "a hunk before it has those lines");
    }

    #[test]
    fn an_exact_place_is_better_than_an_earlier_one() {
        for (file, place) in [
            (["a ", "  a", "a"], 2),
            (["  a", "a ", " a "], 1),
            (["b", " a", "a\u{a0}b"], 1),
            (["b", "\u{2002}a", "c"], 1),
        ] {
            assert_eq!(find(&file, &["a"], 0, false), Some(place), "{file:?}");
        }
        let typographic = ["don\u{2019}t \u{201c}go\u{201d} 1\u{2013}2\u{a0}m"];
        assert_eq!(find(&typographic, &["don't \"go\" 1-2 m"], 0, false), Some(0));
        assert_eq!(find(&["x-y"], &["x\u{2212}y"], 0, false), Some(0), "the other way round, too");
        assert_eq!(find(&["a b"], &["ab"], 0, false), None, "white space within is not ignored");
    }

    #[test]
    fn the_work_is_bounded() {
        let file = vec!["a"; 20_000];
        let wanted: Vec<&str> = std::iter::repeat_n("a", 10_000).chain(["b"]).collect();
        let mut comparisons = 1_000_000;
        let finder = Finder::new(file.iter().copied());
        assert_eq!(finder.find(&wanted, 0, false, &mut comparisons), Err(Exhausted));
        assert_eq!(finder.find(&["a"], 19_999, false, &mut 2), Ok(Some(19_999)));
    }
}
