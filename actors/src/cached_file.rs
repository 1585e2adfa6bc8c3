//! Small files that other programs may change at any time.

use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Largest file that is read, in bytes; a larger one is not a configuration file.
pub const LARGEST_FILE: usize = 4 * 1024 * 1024;

/// The content of a file, cached until the file changes. Instead of a file watch, each access checks the inode.
pub struct CachedFile<T> {
    path: PathBuf,
    most: usize,
    parse: fn(&Path, io::Result<String>) -> T,
    kept: Option<(Option<Stamp>, T)>,
}

impl<T> CachedFile<T> {
    /// Creates a cache of the file at `path`. `parse` receives its text, or an empty text if there is no file.
    pub fn new(path: PathBuf, parse: fn(&Path, io::Result<String>) -> T) -> Self {
        Self::bounded(path, LARGEST_FILE, parse)
    }

    /// Like [`Self::new`], for a file of up to `most` bytes; for a larger one `parse` receives an error.
    pub fn bounded(path: PathBuf, most: usize, parse: fn(&Path, io::Result<String>) -> T) -> Self {
        Self { path, most, parse, kept: None }
    }

    /// The current content.
    pub fn get(&mut self) -> &T {
        // Taken before the content is read, so that the next access notices a change in between.
        let now = self.path.metadata().ok().map(|metadata| Stamp::of(&metadata));
        let kept = self.kept.take().filter(|(stamp, _)| *stamp == now);
        let fresh = || (now, (self.parse)(&self.path, read_up_to(&self.path, self.most)));
        &self.kept.insert(kept.unwrap_or_else(fresh)).1
    }
}

/// Differs if the file differs. Contains the time of the last change of the inode (ctime), which, unlike the time of
/// the last write, also changes when the file becomes readable and cannot be set back.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    changed: (i64, i64),
    size: u64,
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { changed: (metadata.ctime(), metadata.ctime_nsec()), size: metadata.size(), inode: metadata.ino() }
    }
}

/// Reads the text of a file; empty if it does not exist.
///
/// # Errors
/// The file cannot be read, is not UTF-8, is too large, or is not a regular file.
pub fn read_or_empty(path: &Path) -> io::Result<String> {
    read_up_to(path, LARGEST_FILE)
}

fn read_up_to(path: &Path, most: usize) -> io::Result<String> {
    match plain_file::read_to_string(path, most) {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(String::new()),
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(_: &Path, content: io::Result<String>) -> String {
        content.unwrap_or_else(|e| e.to_string())
    }

    #[test]
    fn a_change_is_seen_at_the_next_question() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        let mut file = CachedFile::new(path.clone(), text);
        assert_eq!(file.get(), "");
        std::fs::write(&path, "one").unwrap();
        assert_eq!(file.get(), "one");
        // Same size, and the time of the last write set back: still noticed, because the inode changed.
        std::fs::write(home.path().join("new"), "two").unwrap();
        std::fs::rename(home.path().join("new"), &path).unwrap();
        assert_eq!(file.get(), "two");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(file.get(), "");
    }

    #[test]
    fn an_unchanged_file_is_read_once() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static READS: AtomicUsize = AtomicUsize::new(0);
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        std::fs::write(&path, "one").unwrap();
        let mut file = CachedFile::new(path, |_, _| READS.fetch_add(1, Ordering::Relaxed));
        file.get();
        file.get();
        assert_eq!(READS.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(read_or_empty(home.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
        let device = read_or_empty(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(device.to_string(), "not a regular file");
    }
}
