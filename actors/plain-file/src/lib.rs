//! Opens files whose paths are controlled by others, without blocking.
//!
//! Anybody who can write to a directory decides what its names are: a named pipe without a writer, a device, a file of
//! `/proc` that waits for events, or a file with a lease. `std::fs::File::open` blocks on all of these, possibly
//! forever. The functions here refuse them at once:
//!
//! - the file is opened with `O_NONBLOCK`, and only regular files are accepted, judged by the open descriptor;
//! - a file on which somebody holds a lease is waited for only as long as a well-behaved holder needs to give it up;
//! - what is read has a bound in bytes.
//!
//! Clippy rejects the plain calls everywhere else (`disallowed-methods` in `.clippy.toml`). A file system that does not
//! respond at all, such as a network disk without its server, still blocks. No flag helps against that, so work on
//! files of others belongs on a separate thread.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests know what they open"))]

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

/// How long the holder of a lease may take to release it. The kernel would allow 45 seconds.
const LEASE_PATIENCE: Duration = Duration::from_millis(100);

/// Pause between two attempts to open a leased file.
const LEASE_RETRY: Duration = Duration::from_millis(5);

/// What to do with a symbolic link in the last part of a path. Links before it are always followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Open the target.
    Follow,
    /// Refuse it (`ELOOP`): the path was checked not to be a link, and must not have become one since.
    Refuse,
}

/// Opens the regular file at `path` for reading. Reads do not block either.
///
/// # Errors
/// The file does not exist, cannot be read, is not a regular file, or has a lease.
pub fn open(path: &Path, links: Links) -> io::Result<File> {
    open_regular(path, OFlags::RDONLY | links.flags(), 0).map(|(file, _)| file)
}

/// Opens the regular file at `path` for reading and writing. If it does not exist, it is created with the permissions
/// `mode` (minus the umask). Existing content is kept.
///
/// # Errors
/// As [`open`], or the file cannot be written or created.
pub fn open_or_create(path: &Path, links: Links, mode: u32) -> io::Result<File> {
    open_regular(path, OFlags::RDWR | OFlags::CREATE | links.flags(), mode).map(|(file, _)| file)
}

/// Opens the regular file at `path` for writing. If it does not exist, it is created with the permissions `mode` (minus
/// the umask). Existing content is kept until it is truncated or overwritten.
///
/// # Errors
/// As [`open_or_create`]. The file need not be readable.
pub fn open_to_write(path: &Path, links: Links, mode: u32) -> io::Result<File> {
    open_regular(path, OFlags::WRONLY | OFlags::CREATE | links.flags(), mode).map(|(file, _)| file)
}

/// Opens the directory at `path`, to lock it or to flush it to disk.
///
/// # Errors
/// The directory does not exist or cannot be read.
pub fn open_directory(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// Opens `/dev/null`, as an empty input.
///
/// # Errors
/// It does not exist, or too many files are open.
pub fn open_null() -> io::Result<File> {
    Ok(rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?.into())
}

/// Reads the regular file at `path`, or the target of a symbolic link.
///
/// # Errors
/// As [`open`], and [`ErrorKind::FileTooLarge`] for more than `most` bytes.
pub fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let (file, metadata) = open_regular(path, OFlags::RDONLY, 0)?;
    // The reported size of a file can be wrong; files in /proc report 0.
    if metadata.len() > most as u64 {
        return Err(too_large(most));
    }
    read_open(&file, most)
}

/// Like [`read`], for text.
///
/// # Errors
/// As [`read`], or the content is not valid UTF-8.
pub fn read_to_string(path: &Path, most: usize) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

/// Reads the rest of an open file.
///
/// # Errors
/// [`ErrorKind::FileTooLarge`] for more than `most` bytes; or the file cannot be read without blocking.
pub fn read_open(mut file: &File, most: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let limit = (most as u64).saturating_add(1);
    file.by_ref().take(limit).read_to_end(&mut content).map_err(explain_waiting)?;
    if content.len() > most { Err(too_large(most)) } else { Ok(content) }
}

/// Explains an error of a read or write that would have blocked; only special files such as `/proc/kmsg` cause it.
pub fn explain_waiting(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => io::Error::new(ErrorKind::InvalidInput, "not a plain file: reading it would wait"),
        _ => error,
    }
}

impl Links {
    fn flags(self) -> OFlags {
        match self {
            Self::Follow => OFlags::empty(),
            Self::Refuse => OFlags::NOFOLLOW,
        }
    }
}

fn open_regular(path: &Path, flags: OFlags, mode: u32) -> io::Result<(File, Metadata)> {
    // Merely opening a device can have an effect, so a path that is known not to be a regular file is not opened.
    if let Ok(metadata) = path.metadata() {
        refuse_special(&metadata)?;
    }
    let file = open_without_waiting(path, flags, mode)?;
    // The path may have changed since the check above; the descriptor cannot.
    let metadata = file.metadata()?;
    refuse_special(&metadata)?;
    Ok((file, metadata))
}

fn open_without_waiting(path: &Path, flags: OFlags, mode: u32) -> io::Result<File> {
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let started = Instant::now();
    loop {
        match rustix::fs::openat(CWD, path, flags, Mode::from_raw_mode(mode)) {
            Ok(file) => return Ok(file.into()),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if started.elapsed() < LEASE_PATIENCE => thread::sleep(LEASE_RETRY),
            Err(Errno::AGAIN) => {
                let text = "another program holds a lease on the file and does not give it up";
                return Err(io::Error::new(ErrorKind::ResourceBusy, text));
            }
            // A pipe without a reader, or a missing device.
            Err(Errno::NXIO) => return Err(not_regular()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn refuse_special(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        Ok(())
    } else if metadata.is_dir() {
        Err(Errno::ISDIR.into())
    } else {
        Err(not_regular())
    }
}

fn not_regular() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "not a regular file")
}

fn too_large(most: usize) -> io::Error {
    io::Error::new(ErrorKind::FileTooLarge, format!("larger than {most} bytes"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use rustix::fs::FileType;

    use super::*;

    struct Directory(tempfile::TempDir);

    impl Directory {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn pipe(&self, name: &str) -> PathBuf {
            let path = self.path(name);
            rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            path
        }
    }

    fn why<T: std::fmt::Debug>(result: io::Result<T>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_plain_file_is_read_up_to_its_bound() {
        let dir = Directory::new();
        std::fs::write(dir.path("file"), "four").unwrap();
        symlink("file", dir.path("link")).unwrap();
        assert_eq!(read_to_string(&dir.path("link"), 4).unwrap(), "four");
        assert_eq!(why(read(&dir.path("file"), 3)), "larger than 3 bytes");
        std::fs::write(dir.path("file"), [0xff]).unwrap();
        assert_eq!(why(read_to_string(&dir.path("file"), 4)), "stream did not contain valid UTF-8");
    }

    #[test]
    fn a_file_that_hides_its_size_is_bounded_too() {
        assert_eq!(why(read(Path::new("/proc/self/status"), 3)), "larger than 3 bytes");
    }

    #[test]
    fn nothing_special_is_opened_or_waited_for() {
        let dir = Directory::new();
        let pipe = dir.pipe("pipe");
        symlink("pipe", dir.path("link")).unwrap();
        for path in [&pipe, &dir.path("link"), Path::new("/dev/null"), Path::new("/dev/tty")] {
            assert_eq!(why(open(path, Links::Follow)), "not a regular file", "{}", path.display());
            assert_eq!(why(open_to_write(path, Links::Follow, 0o600)), "not a regular file", "{}", path.display());
            assert_eq!(why(open_or_create(path, Links::Follow, 0o600)), "not a regular file", "{}", path.display());
        }
        assert_eq!(open(dir.0.path(), Links::Follow).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert_eq!(open_directory(&pipe).unwrap_err().kind(), ErrorKind::NotADirectory);
        open_directory(dir.0.path()).unwrap();
    }

    #[test]
    fn a_link_is_refused_where_none_was_expected() {
        let dir = Directory::new();
        std::fs::write(dir.path("file"), "").unwrap();
        symlink("file", dir.path("link")).unwrap();
        open(&dir.path("file"), Links::Refuse).unwrap();
        for error in [open(&dir.path("link"), Links::Refuse), open_to_write(&dir.path("link"), Links::Refuse, 0o600)] {
            assert_eq!(error.unwrap_err().raw_os_error(), Some(Errno::LOOP.raw_os_error()));
        }
    }

    #[test]
    fn a_file_is_made_with_its_mode_and_keeps_its_content() {
        let dir = Directory::new();
        open_or_create(&dir.path("new"), Links::Refuse, 0o600).unwrap();
        assert_eq!(dir.path("new").metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(dir.path("new"), "kept").unwrap();
        open_to_write(&dir.path("new"), Links::Follow, 0o600).unwrap();
        assert_eq!(read_to_string(&dir.path("new"), 10).unwrap(), "kept");
    }
}
