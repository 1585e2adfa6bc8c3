//! Queries, and how well a path matches them.

use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Longest query in bytes. Nobody types longer names, and each byte costs time for each file.
pub const LONGEST_QUERY: usize = 1024;

/// Bonus for a match in the file name itself, which is more likely meant than a match in a directory.
const NAME_MATCHES: u32 = 1 << 16;

/// Bonus if the name equals the query, ignoring case.
const NAME_IS_QUERY: u32 = 2 << 16;

/// A prepared query. The rules and numbers are the reference program's.
pub struct Query {
    text: String,
    pattern: Pattern,
    /// The plain text, without pattern syntax.
    name: Atom,
}

impl Query {
    /// Parses a query.
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_lowercase(),
            pattern: Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart),
            name: Atom::new(text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy, false),
        }
    }

    /// Whether the query is empty; an empty query matches nothing.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// Compares paths with a query. It owns scratch memory, so each thread needs its own.
pub struct Scorer<'a> {
    query: &'a Query,
    matcher: Matcher,
    characters: Vec<char>,
}

impl<'a> Scorer<'a> {
    /// Creates a matcher for `query`.
    pub fn new(query: &'a Query) -> Self {
        Self { query, matcher: Matcher::new(Config::DEFAULT.match_paths()), characters: Vec::new() }
    }

    /// The score of a path with the file name `name`; `None` if it does not match.
    pub fn score(&mut self, path: &str, name: &str, directory: bool) -> Option<u32> {
        let score = self.query.pattern.score(Utf32Str::new(path, &mut self.characters), &mut self.matcher)?;
        let mut bonus = 0;
        if !directory && self.name_matches(name) {
            bonus += NAME_MATCHES;
        }
        // Lower-case letters can take more bytes, but only in few alphabets and never many more.
        if name.len() <= 2 * self.query.text.len() && name.to_lowercase() == self.query.text {
            bonus += NAME_IS_QUERY;
        }
        Some(score.saturating_add(bonus))
    }

    /// Whether the characters of the query occur in a name in order. For ASCII names, which are the most, this is
    /// faster than computing a score.
    fn name_matches(&mut self, name: &str) -> bool {
        if name.is_ascii() && self.query.text.is_ascii() {
            let mut rest = name.bytes();
            return self.query.text.bytes().all(|wanted| rest.any(|byte| byte.to_ascii_lowercase() == wanted));
        }
        self.query.name.score(Utf32Str::new(name, &mut self.characters), &mut self.matcher).is_some()
    }

    /// Ascending indices of the matching characters of a path.
    pub fn indices(&mut self, path: &str) -> Vec<u32> {
        let mut indices = Vec::new();
        let path = Utf32Str::new(path, &mut self.characters);
        self.query.pattern.indices(path, &mut self.matcher, &mut indices);
        indices.sort_unstable();
        indices.dedup();
        indices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(query: &str, path: &str, directory: bool) -> Option<(u32, Vec<u32>)> {
        let query = Query::new(query);
        let mut scorer = Scorer::new(&query);
        let name = path.rsplit('/').next().unwrap();
        scorer.score(path, name, directory).map(|score| (score, scorer.indices(path)))
    }

    #[test]
    fn scores_and_places_are_the_reference_programs() {
        for (query, path, directory, expected, indices) in [
            ("main", ".git/main", false, 196_717, vec![5, 6, 7, 8]),
            ("Main", ".git/main", false, 196_717, vec![5, 6, 7, 8]),
            ("main", "node_modules/main", true, 131_181, vec![13, 14, 15, 16]),
            ("main", "node_modules/main/index.js", false, 109, vec![13, 14, 15, 16]),
            ("main", "src/main.rs", false, 65_645, vec![4, 5, 6, 7]),
            ("main", "src/mainframe/main.txt", false, 65_645, vec![14, 15, 16, 17]),
            ("main", "emptymain", true, 76, vec![5, 6, 7, 8]),
            ("main", "Été/mäin.rs", false, 65_645, vec![4, 5, 6, 7]),
            ("main", "a b/ma in.rs", false, 65_640, vec![4, 5, 7, 8]),
            ("mn", "src/mainframe/main.txt", false, 65_582, vec![14, 17]),
            ("mn", "src/mainframe", true, 46, vec![4, 7]),
            ("src/main", "src/mainframe/main.txt", false, 209, vec![0, 1, 2, 3, 4, 5, 6, 7]),
            ("src/main", "srclink/main.rs", false, 194, vec![0, 1, 2, 7, 8, 9, 10, 11]),
            ("main rs", "src/main.rs", false, 165, vec![4, 5, 6, 7, 9, 10]),
            ("^src", "src/lib.rs", false, 84, vec![0, 1, 2]),
            (".rs$", "src/lib.rs", false, 80, vec![7, 8, 9]),
            ("'main", "src/mainframe/main.txt", false, 109, vec![4, 5, 6, 7]),
            ("!main main", "a b/ma in.rs", false, 104, vec![4, 5, 7, 8]),
            ("r", "README.md", false, 65_570, vec![0]),
            ("r", ".gitignore", false, 65_552, vec![8]),
            ("file1", "file102.txt", false, 65_670, vec![0, 1, 2, 3, 4]),
        ] {
            assert_eq!(score(query, path, directory), Some((expected, indices)), "{query} in {path}");
        }
        assert_eq!(score("É", "Ete", false), None);
        assert_eq!(score("main\\ ", "src/main.rs", false), None);
    }
}
