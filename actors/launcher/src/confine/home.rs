//! `$CODEX_HOME` as a confined command sees it: read-only, and without what holds secrets or leads to a server.
//!
//! The whole directory is covered, rather than each secret by itself: a file that is written anew takes the place of the
//! one that was there, and would show from under its cover.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, mkdirat, openat, readlinkat, statat, symlinkat};
use rustix::mount::MountAttrFlags;

use super::mounts::{clone, lay_on, memory, open_directory};
use super::resolve::{Id, kind, open_same};
use crate::sys;

/// The folder of the home with programs for commands.
pub const PROGRAMS: &str = "app-server-programs";

/// How the names begin of what is not shown: signs-in, keys, and everything of this program's own but [`PROGRAMS`].
const SECRET: [&[u8]; 4] = [b"auth.json", b".credentials", b".env", b"app-server"];

/// How the names end of what is not shown besides: databases with all that belongs to them, and locks.
const PRIVATE: [&[u8]; 2] = [b".lock", b".sock"];

/// What every name of a database holds, whatever follows.
const DATABASE: &[u8] = b".sqlite";

/// Covers the home at `path`.
pub fn lay(path: &Path, id: Id) -> io::Result<()> {
    let place = open_same(path, Some(id))?;
    let entries = open_directory(&place)?;
    let view = memory(c"755", MountAttrFlags::empty())?;
    lay_on(&view, &place)?;
    for entry in Dir::read_from(&entries)?.flatten() {
        let name = entry.file_name();
        if is_shown(name.to_bytes()) {
            // What vanished meanwhile, or is not for us, is not there for the command either.
            if let Ok(stat) = statat(&entries, name, AtFlags::SYMLINK_NOFOLLOW) {
                show(&entries, &view, name, kind(&stat))?;
            }
        }
    }
    sys::make_read_only(view.as_fd())
}

fn show(entries: &OwnedFd, view: &OwnedFd, name: &CStr, kind: FileType) -> io::Result<()> {
    match kind {
        FileType::Symlink => {
            let target = readlinkat(entries, name, Vec::new())?;
            return Ok(symlinkat(target.as_c_str(), view, name)?);
        }
        FileType::Directory => mkdirat(view, name, Mode::from_raw_mode(0o755))?,
        FileType::RegularFile => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            drop(openat(view, name, flags, Mode::from_raw_mode(0o644))?);
        }
        // Sockets and the like lead to somebody.
        _ => return Ok(()),
    }
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let pin = |directory: &OwnedFd| openat(directory, name, flags, Mode::empty());
    lay_on(&clone(pin(entries)?)?, &pin(view)?)
}

/// Whether an entry of the home is shown.
pub fn is_shown(name: &[u8]) -> bool {
    if name == PROGRAMS.as_bytes() {
        return true;
    }
    let is_secret = SECRET.iter().any(|start| name.starts_with(start))
        || PRIVATE.iter().any(|end| name.ends_with(end))
        || name.windows(DATABASE.len()).any(|part| part == DATABASE);
    !is_secret && name != b"." && name != b".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_or_leads_to_a_server_is_not_shown() {
        for name in [
            "auth.json",
            "auth.json.tmp",
            ".credentials.json",
            ".env",
            "app-server.sqlite",
            "app-server.sqlite-wal",
            "app-server-control",
            "app-server-places",
            "app-server-programs.tmp",
            "state_5.sqlite-shm",
            "x.lock",
            "x.sock",
            ".",
            "..",
        ] {
            assert!(!is_shown(name.as_bytes()), "{name}");
        }
        for name in ["config.toml", "AGENTS.md", "skills", "worktrees", "sessions", PROGRAMS] {
            assert!(is_shown(name.as_bytes()), "{name}");
        }
    }
}
