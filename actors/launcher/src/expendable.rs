//! When memory runs out, the kernel ends a command rather than the server or its launchers.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;

use plain_file::Links;
use rustix::fs::{Mode, OFlags, openat};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

/// This process's own standing with the kernel, from -1000 to 1000: the highest ends first.
const FILE: &str = "/proc/self/oom_score_adj";

/// Bytes of the file: a number and a line break.
const LONGEST: usize = 16;

/// How much earlier than the server a command ends.
const STEP: i32 = 500;

/// The last standing.
const HIGHEST: i32 = 1000;

/// The way to this process's standing, also when `/proc` is another one.
pub struct Expendable {
    file: File,
    usual: i32,
}

/// What is started meanwhile ends first.
pub struct Raised<'a>(&'a Expendable);

impl Expendable {
    /// Of a process that sees itself in `/proc`. `None` where the kernel does not offer it.
    pub fn new() -> Option<Self> {
        Self::of(plain_file::open_or_create(Path::new(FILE), Links::Follow, 0).ok()?)
    }

    /// Of the first process in a PID namespace, by a `/proc` that nobody else has: an open file would keep the usual one
    /// from becoming read-only.
    pub fn of_first_process() -> Option<Self> {
        let system = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC).ok()?;
        fsconfig_create(&system).ok()?;
        let quiet =
            MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        let proc = fsmount(&system, FsMountFlags::FSMOUNT_CLOEXEC, quiet).ok()?;
        let file = openat(&proc, "self/oom_score_adj", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).ok()?;
        Self::of(file.into())
    }

    fn of(file: File) -> Option<Self> {
        let text = String::from_utf8(plain_file::read_open(&file, LONGEST).ok()?).ok()?;
        Some(Self { file, usual: text.trim().parse().ok()? })
    }

    /// Raises this process until the result is dropped, for children to inherit.
    pub fn raise(&self) -> Raised<'_> {
        self.set(self.usual.saturating_add(STEP).min(HIGHEST));
        Raised(self)
    }

    fn set(&self, standing: i32) {
        let mut file = &self.file;
        // A refusal changes who is ended first, and nothing else.
        let _ = file.rewind().and_then(|()| file.write_all(standing.to_string().as_bytes()));
    }
}

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.usual);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_raised_and_this_process_is_not() {
        let expendable = Expendable::new().unwrap();
        let raised = expendable.raise();
        let expected = (expendable.usual + STEP).min(HIGHEST).to_string();
        let child = std::process::Command::new("cat").arg(FILE).output().unwrap();
        assert_eq!(String::from_utf8(child.stdout).unwrap().trim(), expected);
        drop(raised);
        assert_eq!(std::fs::read_to_string(FILE).unwrap().trim(), expendable.usual.to_string());
    }
}
