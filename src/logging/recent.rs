//! The last lines of the log, for a page that shows them. Nothing is kept unless somebody wants it.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Bytes of one line that are kept.
const LINE_BYTES: usize = 500;

/// A ring of lines.
pub struct Recent {
    most: AtomicUsize,
    lines: Mutex<VecDeque<String>>,
}

impl Recent {
    /// A ring that keeps nothing.
    pub const fn new() -> Self {
        Self { most: AtomicUsize::new(0), lines: Mutex::new(VecDeque::new()) }
    }

    /// Keeps up to `lines` lines from now on.
    pub fn keep(&self, lines: usize) {
        self.most.store(lines, Ordering::Relaxed);
    }

    /// A line was logged; `line` has its newline.
    pub fn push(&self, line: &[u8]) {
        let most = self.most.load(Ordering::Relaxed);
        if most == 0 {
            return;
        }
        let text = plain(&String::from_utf8_lossy(line));
        let mut lines = self.lock();
        while lines.len() >= most {
            lines.pop_front();
        }
        lines.push_back(text);
    }

    /// The lines, oldest first.
    pub fn read(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without colours, other control characters and the priority for a journal, and not too long.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let prioritized = line.strip_prefix('<').and_then(|rest| rest.get(1..)?.strip_prefix('>'));
    let mut characters = prioritized.unwrap_or(line).trim_end().chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // A colour ends with a letter.
            let _ = characters.by_ref().find(char::is_ascii_alphabetic);
        } else if text.len() >= LINE_BYTES {
            text.push('…');
            break;
        } else if !character.is_control() {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_kept_and_none_unless_they_are_wanted() {
        let recent = Recent::new();
        recent.push(b"early\n");
        recent.keep(2);
        for line in ["one", "two", "<4>\u{1b}[31mthree\u{1b}[0m"] {
            recent.push(format!("{line}\n").as_bytes());
        }
        assert_eq!(recent.read(), ["two", "three"]);
        recent.push("long".repeat(1000).as_bytes());
        assert!(recent.read()[1].len() <= LINE_BYTES + "…".len());
    }
}
