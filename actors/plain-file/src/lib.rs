//! Opens files whose names others control.
//!
//! Whoever can write to a directory chooses what lies under the names in it: a named pipe that nobody writes to, a
//! device, a file of `/proc` that waits for news, or a file on which they hold a lease. `std::fs::File::open` waits for
//! all of these, possibly for ever. The functions here refuse them at once:
//!
//! - the file is opened with `O_NONBLOCK`, and only regular files are accepted, judged by the open descriptor;
//! - a file on which somebody holds a lease is waited for only as long as a well-behaved holder needs to give it up;
//! - what is read has a bound in bytes.
//!
//! Clippy refuses the plain calls everywhere else (`disallowed-methods` in `.clippy.toml`). What remains is a file
//! system that does not answer at all, such as a network disk whose server is gone; no flag helps against that, so work
//! on files of others belongs on a thread that nobody has to wait for.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests know what they open"))]

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

/// How long the holder of a lease may take to give it up. The kernel would grant it 45 seconds.
const LEASE_PATIENCE: Duration = Duration::from_millis(100);

/// Pause between two attempts to open a leased file.
const LEASE_RETRY: Duration = Duration::from_millis(5);

/// What to do with a symbolic link in the last part of a path. Links before it are always followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Open what it leads to.
    Follow,
    /// Refuse it (`ELOOP`): the path was found to be no link, and must not have become one since.
    Refuse,
}

/// Opens the regular file at `path` for reading. Reads from it never wait for data either.
///
/// # Errors
/// There is no such file, it may not be read, it is no regular file, or somebody holds a lease on it.
pub fn open(path: &Path, links: Links) -> io::Result<File> {
    open_regular(path, OFlags::RDONLY | links.flags(), 0).map(|(file, _)| file)
}

/// Opens the regular file at `path` for reading and writing, and makes it with the permissions `mode` (less the umask)
/// when it does not exist. Its content stays.
///
/// # Errors
/// As [`open`], or it may not be written or made.
pub fn open_or_create(path: &Path, links: Links, mode: u32) -> io::Result<File> {
    open_regular(path, OFlags::RDWR | OFlags::CREATE | links.flags(), mode).map(|(file, _)| file)
}

/// Opens the regular file at `path` for writing, and makes it with the permissions `mode` (less the umask) when it does
/// not exist. Its content stays until it is truncated or written over.
///
/// # Errors
/// As [`open_or_create`]. The file need not be readable.
pub fn open_to_write(path: &Path, links: Links, mode: u32) -> io::Result<File> {
    open_regular(path, OFlags::WRONLY | OFlags::CREATE | links.flags(), mode).map(|(file, _)| file)
}

/// Opens the directory at `path`, to lock it or to write its names to disk.
///
/// # Errors
/// There is none, or it may not be read.
pub fn open_directory(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// `/dev/null`, for who is to read nothing.
///
/// # Errors
/// There is none, or too many files are open.
pub fn open_null() -> io::Result<File> {
    Ok(rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?.into())
}

/// The content of the regular file at `path`, or of what a symbolic link there leads to.
///
/// # Errors
/// As [`open`], and [`ErrorKind::FileTooLarge`] for more than `most` bytes.
pub fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let (file, metadata) = open_regular(path, OFlags::RDONLY, 0)?;
    // The size that a file claims to have can be wrong; files of /proc say 0.
    if metadata.len() > most as u64 {
        return Err(too_large(most));
    }
    read_open(&file, most)
}

/// The same as text.
///
/// # Errors
/// As [`read`], or the content is not valid UTF-8.
pub fn read_to_string(path: &Path, most: usize) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

/// What is left to read of an open file.
///
/// # Errors
/// [`ErrorKind::FileTooLarge`] for more than `most` bytes; or the file cannot be read, at least not without waiting.
pub fn read_open(mut file: &File, most: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let limit = (most as u64).saturating_add(1);
    file.by_ref().take(limit).read_to_end(&mut content).map_err(explain_waiting)?;
    if content.len() > most { Err(too_large(most)) } else { Ok(content) }
}

/// Puts into words that a read or write of an opened file would have had to wait: only special files, such as
/// `/proc/kmsg`, say that.
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
    // Merely opening a device can have an effect, so what is known to be none is not opened.
    if let Ok(metadata) = path.metadata() {
        refuse_special(&metadata)?;
    }
    let file = open_without_waiting(path, flags, mode)?;
    // The name may lead elsewhere since the look above; the descriptor cannot.
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
            // A pipe that nobody reads, or a device that is not there.
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
