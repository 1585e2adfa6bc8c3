//! What the program says: a line with a word and a number, and then as many bytes.

use std::io::{self, Write};

/// Bytes of a diff at most, and of whatever else follows the line of an answer. A larger diff is not told.
pub const DIFF_BYTES: usize = 4 << 20;

/// What the program says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has the base.
    Ready,
    /// What has changed, as git shows it; empty where nothing has.
    Diff(String),
    /// More has changed than can be shown.
    TooLarge,
    /// It could not be found out, for this reason.
    Failed(String),
}

impl Answer {
    /// Writes it.
    ///
    /// # Errors
    /// Those of `output`.
    pub(super) fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let (word, text) = match self {
            Self::Ready => ("ready", ""),
            Self::Diff(diff) => ("diff", diff.as_str()),
            Self::TooLarge => ("large", ""),
            Self::Failed(reason) => ("failed", reason.as_str()),
        };
        write!(output, "{word} {}\n{text}", text.len())?;
        output.flush()
    }

    /// How many bytes follow this line. `None` for a line that is none of an answer, or announces too many.
    pub fn bytes_behind(line: &[u8]) -> Option<usize> {
        let (_, number) = std::str::from_utf8(line).ok()?.split_once(' ')?;
        number.parse().ok().filter(|bytes| *bytes <= DIFF_BYTES)
    }

    /// The answer with this line, and these bytes behind it.
    pub fn read(line: &[u8], bytes: &[u8]) -> Option<Self> {
        let text = || String::from_utf8_lossy(bytes).into_owned();
        match line.split(|byte| *byte == b' ').next()? {
            b"ready" => Some(Self::Ready),
            b"diff" => Some(Self::Diff(text())),
            b"large" => Some(Self::TooLarge),
            b"failed" => Some(Self::Failed(text())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let diff = Answer::Diff("diff --git a/ä b/ä\n+\n".to_owned());
        for answer in [Answer::Ready, diff, Answer::Diff(String::new()), Answer::TooLarge, Answer::Failed("x y".into())]
        {
            let mut bytes = Vec::new();
            answer.write(&mut bytes).unwrap();
            let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
            let (line, behind) = (&bytes[..end], &bytes[end + 1..]);
            assert_eq!(Answer::bytes_behind(line), Some(behind.len()));
            assert_eq!(Answer::read(line, behind), Some(answer));
        }
    }

    #[test]
    fn nonsense_is_no_answer() {
        for line in ["", "diff", "diff x", "diff -1", "diff 99999999999"] {
            assert_eq!(Answer::bytes_behind(line.as_bytes()), None, "{line}");
        }
        assert_eq!(Answer::read(b"other 0", b""), None);
    }
}
