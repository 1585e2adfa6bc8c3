//! The words of refusals. A model reads them, so they say what to do.

use std::io;

/// Most bytes of a patch or a path that an error repeats.
const QUOTED_BYTES: usize = 1024;

/// Why a patch is refused. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// The text is too long.
    #[error("the patch is longer than {0} bytes; send several smaller ones")]
    TooLong(usize),
    /// There is no text, or only white space.
    #[error(
        "the patch is empty; write \"*** Begin Patch\", the operations and \"*** End Patch\", each on its own line"
    )]
    Empty,
    /// It does not begin as a patch.
    #[error("the first line of the patch must be \"*** Begin Patch\", but it is {0:?}")]
    NoBegin(String),
    /// It does not end as a patch.
    #[error("the last line of the patch must be \"*** End Patch\", but it is {0:?}")]
    NoEnd(String),
    /// There is nothing between the first and the last line.
    #[error("the patch has no operation; add one that begins with {HEADERS}")]
    NoOperation,
    /// There are too many operations.
    #[error("the patch has more than {0} operations; send several smaller ones")]
    TooManyOperations(usize),
    /// A line is none of those that begin an operation.
    #[error("line {line} of the patch must begin with {HEADERS}, but it is {text:?}")]
    UnknownHeader {
        /// Number of the line in the patch, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A header has no path, or one that no file can have.
    #[error("line {line} of the patch needs the path of a file, without control characters, but it is {text:?}")]
    NoPath {
        /// Number of the line in the patch, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A line of a new file has no mark.
    #[error("line {line} of the patch is in an added file and must begin with \"+\", but it is {text:?}")]
    UnmarkedAddition {
        /// Number of the line in the patch, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A line of a hunk has no mark.
    #[error(
        "line {line} of the patch is in a hunk and must begin with \" \", \"-\", \"+\" or \"@@\", but it is {text:?}"
    )]
    UnmarkedLine {
        /// Number of the line in the patch, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A hunk has no lines, or an update no hunk.
    #[error("the hunk of {path} at line {line} of the patch is empty; give the lines to change")]
    EmptyHunk {
        /// Number of the line in the patch, from 1.
        line: usize,
        /// Path of the file, as the patch writes it.
        path: String,
    },
    /// Two operations concern the same file.
    #[error("{0} is named twice in the patch; say all about a file in one operation")]
    NamedTwice(String),
    /// A path leads through a file of the same patch.
    #[error("{path} cannot be in the same patch as {inside}, for which it would have to be a folder")]
    FileAsFolder {
        /// Path of the file.
        path: String,
        /// Path of what would lie in it.
        inside: String,
    },
    /// The line of an `@@` is not there.
    #[error("{path} has no line {anchor:?} {after}; read the file again and copy the line exactly")]
    AnchorNotFound {
        /// Path of the file.
        path: String,
        /// The line behind `@@`.
        anchor: String,
        /// From which line on it was looked for.
        after: After,
    },
    /// The lines of a hunk are not there.
    #[error("{path} does not have these lines {after}; read the file again and copy them exactly:\n{lines}")]
    LinesNotFound {
        /// Path of the file.
        path: String,
        /// The lines that the hunk expects.
        lines: String,
        /// From which line on they were looked for.
        after: After,
    },
    /// The lines of a hunk are not at the end.
    #[error("{path} does not end with these lines, as \"*** End of File\" says; read the file again:\n{lines}")]
    NotAtEnd {
        /// Path of the file.
        path: String,
        /// The lines that the hunk expects.
        lines: String,
    },
    /// Looking for the places of hunks takes too long.
    #[error("finding the hunks of {0} takes too long; give them lines that the file has only once")]
    TooMuchWork(String),
    /// The file has too many lines, or it and others are too large.
    #[error("{path} has more than {limit}; change it by a command")]
    TooLarge {
        /// Path of the file.
        path: String,
        /// The bound, with its unit.
        limit: String,
    },
    /// The files together are too large.
    #[error("the files of the patch have more than {0} bytes together; send several smaller patches")]
    AllTooLarge(usize),
    /// The file is not there.
    #[error("{0} does not exist")]
    Missing(String),
    /// There is a folder.
    #[error("{0} is a folder; a patch changes files only")]
    Folder(String),
    /// There is something else that is no regular file.
    #[error("{0} is not a regular file; change it by a command")]
    NotRegular(String),
    /// A link would have to be removed or renamed, or leads nowhere.
    #[error("{0} is a symbolic link; a patch only changes files that links lead to, and deletes and moves none")]
    Link(String),
    /// The content is not text.
    #[error("{0} is not UTF-8 text; change it by a command")]
    NotText(String),
    /// The path cannot be told to clients.
    #[error("{0} leads to a path that is not UTF-8 text")]
    PathNotText(String),
    /// The file cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// Path of the file.
        path: String,
        /// Why.
        error: io::Error,
    },
}

/// The headers of operations, for errors.
const HEADERS: &str = "\"*** Add File: PATH\", \"*** Delete File: PATH\" or \"*** Update File: PATH\"";

/// From which line of a file on something was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After(pub usize);

impl std::fmt::Display for After {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => f.write_str("anywhere"),
            line => write!(f, "after line {line}, where the hunk before or its @@ line is"),
        }
    }
}

/// `text` for an error: no more than its first kibibyte.
pub(super) fn quoted(text: &str) -> String {
    if text.len() <= QUOTED_BYTES {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(QUOTED_BYTES)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_repeats_little() {
        assert_eq!(quoted("short"), "short");
        let long = format!("x{}", "ä".repeat(1000));
        let quoted = quoted(&long);
        assert!(quoted.len() <= QUOTED_BYTES + "…".len() && quoted.starts_with("xää") && quoted.ends_with("ä…"));
    }
}
