//! The search through a script and through all scripts inside of it.

use super::reader::Reader;
use super::seen::Seen;
use super::wrappers;

/// Looks through a script.
pub(super) fn in_script(script: &str) -> Seen {
    let mut seen = Seen::default();
    seen.queue(script.to_owned(), 0);
    read_waiting(&mut seen);
    seen
}

/// Looks through a command whose words are known.
pub(super) fn in_argv(argv: &[String]) -> Seen {
    let mut seen = Seen::default();
    seen.push(argv.to_vec(), false);
    wrappers::unwrap(&mut seen, 0, 0);
    read_waiting(&mut seen);
    seen
}

fn read_waiting(seen: &mut Seen) {
    while let Some((script, level)) = seen.next_waiting() {
        let first = seen.commands.len();
        seen.statement += 1;
        Reader::new(script.as_bytes(), seen).read();
        wrappers::unwrap(seen, first, level);
    }
}
