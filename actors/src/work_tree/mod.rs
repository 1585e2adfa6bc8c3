//! What has changed in a git work tree since a moment: a program of its own, which is told when to look.
//!
//! ```text
//!  turn ──a line: look──▶ this program ──▶ git, some times
//!       ◀──an answer─────      │
//!                              └──▶ memory: copies of the index, and contents that the repository does not have
//! ```
//!
//! It takes the work tree as it is when it starts for the *base*, and answers each line that it reads with a diff from
//! there. So what was changed and not committed before does not count, and what is changed and changed back is gone from
//! the diff.
//!
//! **Why a program that stays.** What was there at the base must be kept until the end of the turn, and nothing may be
//! written into the repository. A program that stays keeps it in a file system in memory that its sandbox has for itself
//! (`/dev/shm`): the kernel throws it away with the last process of the sandbox, however the server ends. There is nothing to
//! clean up, on no disk.
//!
//! **Why confined.** Git runs what the configuration of a repository names: filters, file system monitors, hooks. What can
//! be switched off is ([`git`]). The rest runs in a sandbox in which nothing can be written but that memory, and without a
//! network. Whoever starts this program sees to that, and ends it when it takes too long.
//!
//! **Why not `git add -A` and `git diff`.** They read every file before anybody could say that it is too large. So the names
//! of what differs are asked for first, which only compares times and sizes. What is too large or cannot be read is left as
//! it was at the base. Only then contents are read ([`snapshot`]).
//!
//! Every look begins with a copy of the base's index, so that one does not depend on another, and memory does not grow with
//! their number.
//!
//! | file | what it is |
//! |---|---|
//! | [`answer`] | what the program says, as bytes |
//! | [`repository`] | where a repository keeps what is needed of it |
//! | [`git`] | how git is run |
//! | [`snapshot`] | the base, and looks at what differs from it |

mod answer;
mod git;
mod repository;
mod snapshot;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Write};
use std::path::Path;

pub use answer::{Answer, DIFF_BYTES};
use repository::Repository;
use snapshot::Base;

/// A line that asks for a look.
pub const LOOK: &[u8] = b"look\n";

/// Where things are kept: a file system in memory.
pub const MEMORY: &str = "/dev/shm";

/// The program: answers once when it has the base of the work tree at `root`, and then each line of `input`, until its end.
/// What it needs it keeps in a folder below `memory`, which it removes.
///
/// # Errors
/// The answers cannot be written, or the lines not be read.
pub fn serve(root: &Path, memory: &Path, input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let folder = tempfile::tempdir_in(memory)?;
    let repository = match Repository::of(root) {
        Ok(repository) => repository,
        Err(error) => return Answer::Failed(error.to_string()).write(&mut output),
    };
    let base = match Base::of(&repository, folder.path()) {
        Ok(base) => base,
        Err(error) => return Answer::Failed(error.to_string()).write(&mut output),
    };
    Answer::Ready.write(&mut output)?;
    for line in input.split(b'\n') {
        line?;
        // Somebody may change files during a look, which it then does not understand; the next one does.
        let answer = base.look().or_else(|_| base.look());
        answer.unwrap_or_else(|error| Answer::Failed(error.to_string())).write(&mut output)?;
    }
    Ok(())
}
