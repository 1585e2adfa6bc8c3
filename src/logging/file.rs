//! A file for the log, which is renamed when it is large: `FILE.1` is the last one before, `FILE.2` the one before that.

use std::{
    fs::{self, File},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use plain_file::Links;

/// Where the log goes, if not to stderr. The thread that writes holds the lock while it writes; nothing that logs waits for it.
static CURRENT: Mutex<Option<LogFile>> = Mutex::new(None);

/// A file with its bounds.
pub struct LogFile {
    path: PathBuf,
    most_bytes: u64,
    most_files: usize,
    file: File,
    bytes: u64,
}

impl LogFile {
    /// Opens the file at `path`, or makes it for its owner alone. Before it has more than `most_bytes`, a new one is begun;
    /// of those before it, `most_files` are kept.
    ///
    /// # Errors
    /// It cannot be opened, or is no ordinary file.
    pub fn open(path: &Path, most_bytes: u64, most_files: usize) -> io::Result<Self> {
        let mut file = plain_file::open_to_write(path, Links::Follow, 0o600)?;
        let bytes = file.seek(SeekFrom::End(0))?;
        Ok(Self { path: path.to_owned(), most_bytes, most_files, file, bytes })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.most_bytes {
            self.rotate()?;
        }
        self.file.write_all(line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let numbered = |number: usize| {
            let mut name = self.path.as_os_str().to_owned();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        for number in (1..self.most_files).rev() {
            if let Err(error) = fs::rename(numbered(number), numbered(number + 1))
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        fs::rename(&self.path, numbered(1))?;
        *self = Self::open(&self.path, self.most_bytes, self.most_files)?;
        Ok(())
    }
}

/// Writes the log to `file` from now on; `None` for stderr.
pub fn write_to(file: Option<LogFile>) {
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = file;
}

/// Whether the log goes to a file.
pub fn is_used() -> bool {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

/// Writes `line` to the file, if there is one. Returns whether it was written; what a full disk does not take goes to stderr.
pub fn write(line: &[u8]) -> bool {
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    current.as_mut().is_some_and(|file| file.write(line).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_renamed_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut file = LogFile::open(&path, 10, 2).unwrap();
        for line in ["one 1\n", "two 2\n", "three\n", "a line that is longer than that\n", "five\n"] {
            file.write(line.as_bytes()).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("log"), "five\n");
        assert_eq!(read("log.1"), "a line that is longer than that\n");
        assert_eq!(read("log.2"), "three\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        drop(file);
        LogFile::open(&path, 10, 2).unwrap().write(b"six\n").unwrap();
        assert_eq!(read("log"), "five\nsix\n", "it goes on");
    }
}
