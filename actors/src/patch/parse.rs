//! The format of patches. What models get wrong without leaving a doubt is accepted: white space around headers, a
//! first hunk without `@@`, empty lines without a mark, and what is left of a heredoc around the patch.

use super::bounds::Bounds;
use super::error::{PatchError, quoted};

const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const ADD: &str = "*** Add File:";
const DELETE: &str = "*** Delete File:";
const UPDATE: &str = "*** Update File:";
const MOVE: &str = "*** Move to:";
const END_OF_FILE: &str = "*** End of File";

/// A patch as it was written. Nothing is known yet of the files it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The operations, at least one, in the order of the patch.
    pub operations: Vec<Operation>,
}

/// What a patch does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Path of the file, absolute or relative to the working directory.
    pub path: String,
    /// What is done to it.
    pub change: Change,
}

/// What is done to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It gets this content, whether it was there or not.
    Add {
        /// The content: empty, or lines that all end with a newline.
        content: String,
    },
    /// It is removed.
    Delete,
    /// Parts of it are changed.
    Update {
        /// The file's new path, if it is moved.
        move_to: Option<String>,
        /// The hunks, at least one, from the top of the file down.
        chunks: Vec<Chunk>,
    },
}

/// One hunk: lines that follow one another in the file, and what becomes of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// The lines behind `@@`, each of which the file has before the hunk.
    pub anchors: Vec<String>,
    /// The lines, at least one, without their line ends.
    pub lines: Vec<Line>,
    /// The hunk ends where the file ends.
    pub is_at_end: bool,
}

/// One line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// It is in the file and stays.
    Kept(String),
    /// It is in the file and goes.
    Removed(String),
    /// It is new.
    Added(String),
}

impl Chunk {
    /// The lines that the file must have.
    pub(super) fn old_lines(&self) -> Vec<&str> {
        let old = self.lines.iter().filter_map(|line| match line {
            Line::Kept(text) | Line::Removed(text) => Some(text.as_str()),
            Line::Added(_) => None,
        });
        old.collect()
    }
}

/// Reads a patch.
///
/// # Errors
/// It is too long, or not in the format.
pub fn parse(text: &str, bounds: &Bounds) -> Result<Patch, PatchError> {
    if text.len() > bounds.patch_bytes {
        return Err(PatchError::TooLong(bounds.patch_bytes));
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut reader = Reader::between_marks(&lines)?;
    let mut operations = Vec::new();
    while reader.skip_blank() {
        if operations.len() == bounds.operations {
            return Err(PatchError::TooManyOperations(bounds.operations));
        }
        operations.push(reader.operation()?);
    }
    if operations.is_empty() { Err(PatchError::NoOperation) } else { Ok(Patch { operations }) }
}

/// The lines of a patch, of which those before `at` are read.
struct Reader<'a> {
    lines: &'a [&'a str],
    at: usize,
}

impl<'a> Reader<'a> {
    /// What is between the first and the last line of the patch.
    fn between_marks(lines: &'a [&'a str]) -> Result<Self, PatchError> {
        let is_text = |line: &&str| !line.trim().is_empty();
        let (Some(mut first), Some(mut last)) = (lines.iter().position(is_text), lines.iter().rposition(is_text))
        else {
            return Err(PatchError::Empty);
        };
        if last > first + 1 && heredoc_word(lines[first]).is_some_and(|word| word == lines[last].trim()) {
            (first, last) = (first + 1, last - 1);
        }
        if lines[first].trim() != BEGIN {
            return Err(PatchError::NoBegin(quoted(lines[first])));
        }
        if lines[last].trim() != END {
            return Err(PatchError::NoEnd(quoted(lines[last])));
        }
        Ok(Self { lines: &lines[..last], at: first + 1 })
    }

    fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    /// Goes on to the next line that is not blank: whether there is one.
    fn skip_blank(&mut self) -> bool {
        while self.peek().is_some_and(|line| line.trim().is_empty()) {
            self.at += 1;
        }
        self.at < self.lines.len()
    }

    fn operation(&mut self) -> Result<Operation, PatchError> {
        if let Some(path) = self.header(ADD)? {
            return Ok(Operation { path, change: Change::Add { content: self.content()? } });
        }
        if let Some(path) = self.header(DELETE)? {
            return Ok(Operation { path, change: Change::Delete });
        }
        if let Some(path) = self.header(UPDATE)? {
            let move_to = self.header(MOVE)?;
            let chunks = self.chunks(&path)?;
            return Ok(Operation { path, change: Change::Update { move_to, chunks } });
        }
        let text = quoted(self.peek().unwrap_or_default());
        Err(PatchError::UnknownHeader { line: self.at + 1, text })
    }

    /// The path in the next line, if that is such a header.
    fn header(&mut self, mark: &str) -> Result<Option<String>, PatchError> {
        let Some(line) = self.peek() else { return Ok(None) };
        let Some(path) = line.trim().strip_prefix(mark) else { return Ok(None) };
        let path = path.trim();
        self.at += 1;
        if path.is_empty() || path.contains(char::is_control) {
            return Err(PatchError::NoPath { line: self.at, text: quoted(line) });
        }
        Ok(Some(path.to_owned()))
    }

    /// The content of an added file, up to the next header.
    fn content(&mut self) -> Result<String, PatchError> {
        let mut content = String::new();
        loop {
            if let Some(text) = self.peek().and_then(|line| line.strip_prefix('+')) {
                content.push_str(text);
                content.push('\n');
                self.at += 1;
                continue;
            }
            let unmarked = self.at;
            if !self.skip_blank() || self.peek().is_some_and(|line| line.trim().starts_with("***")) {
                return Ok(content);
            }
            return Err(PatchError::UnmarkedAddition { line: unmarked + 1, text: quoted(self.lines[unmarked]) });
        }
    }

    /// The hunks of an update, up to the next header.
    fn chunks(&mut self, path: &str) -> Result<Vec<Chunk>, PatchError> {
        let mut chunks = Vec::new();
        while self.skip_blank() && self.peek().is_some_and(|line| !line.starts_with("***") && !is_header(line)) {
            chunks.push(self.chunk(path)?);
        }
        if chunks.is_empty() { Err(self.empty_hunk(path)) } else { Ok(chunks) }
    }

    fn chunk(&mut self, path: &str) -> Result<Chunk, PatchError> {
        let (mut chunk, mut numbers) = (Chunk::default(), None);
        while let Some(anchor) = self.peek().and_then(|line| line.strip_prefix("@@")) {
            let anchor = anchor.strip_prefix(' ').unwrap_or(anchor).to_owned();
            if is_line_numbers(&anchor) {
                numbers = Some(anchor);
            } else if !anchor.trim().is_empty() {
                chunk.anchors.push(anchor);
            }
            self.at += 1;
        }
        // Empty lines without a mark: lines of the file if more lines of the hunk follow, otherwise only space.
        let mut blank = 0;
        while let Some(line) = self.peek() {
            let line = match line.split_at_checked(1) {
                None if line.is_empty() => {
                    (blank, self.at) = (blank + 1, self.at + 1);
                    continue;
                }
                Some((" ", text)) => Line::Kept(text.to_owned()),
                Some(("-", text)) => Line::Removed(text.to_owned()),
                Some(("+", text)) => Line::Added(text.to_owned()),
                _ if line.starts_with("@@") || line.starts_with("***") => break,
                _ => return Err(PatchError::UnmarkedLine { line: self.at + 1, text: quoted(line) }),
            };
            chunk.lines.extend((0..blank).map(|_| Line::Kept(String::new())));
            chunk.lines.push(line);
            (blank, self.at) = (0, self.at + 1);
        }
        if chunk.lines.is_empty() {
            return Err(self.empty_hunk(path));
        }
        // Lines that are only added have no other place than that of the numbers, which is not looked up.
        if chunk.lines.iter().all(|line| matches!(line, Line::Added(_))) {
            chunk.anchors.extend(numbers);
        }
        if self.peek().is_some_and(|line| line.trim_end() == END_OF_FILE) {
            (chunk.is_at_end, self.at) = (true, self.at + 1);
        }
        Ok(chunk)
    }

    fn empty_hunk(&self, path: &str) -> PatchError {
        PatchError::EmptyHunk { line: self.at, path: quoted(path) }
    }
}

/// Whether `line` begins an operation, with white space around it or not.
fn is_header(line: &str) -> bool {
    [ADD, DELETE, UPDATE].iter().any(|mark| line.trim_start().starts_with(mark))
}

/// The word that ends the heredoc which `line` begins, such as `EOF` of `<<'EOF'`.
fn heredoc_word(line: &str) -> Option<&str> {
    let line = line.trim();
    let word = line.strip_prefix("apply_patch").unwrap_or(line).trim_start().strip_prefix("<<")?.trim();
    let quoted = ['\'', '"'].iter().find_map(|&quote| word.strip_prefix(quote)?.strip_suffix(quote));
    Some(quoted.unwrap_or(word)).filter(|word| !word.is_empty())
}

/// Whether what follows `@@` are line numbers, as in ` -1,3 +1,4 @@ fn main() {`. Models that know other diffs write them;
/// a hunk is found by its lines.
fn is_line_numbers(anchor: &str) -> bool {
    let Some((numbers, _)) = anchor.split_once("@@") else { return false };
    let mut ranges = numbers.split_whitespace();
    let is_range = |range: &str, sign| {
        range
            .strip_prefix(sign)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b','))
    };
    ranges.next().is_some_and(|old| is_range(old, '-'))
        && ranges.next().is_some_and(|new| is_range(new, '+'))
        && ranges.next().is_none()
}
