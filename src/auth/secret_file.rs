//! Reading a token or a secret from its file.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::{fs::OFlags, io::Errno, process::geteuid};
use secrecy::{ExposeSecret as _, SecretString};

use super::AuthError;

/// Bytes of a token or secret file. A token that a client could send is much shorter.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// The text of the file at `path` without white space around it.
///
/// # Errors
/// When it is not a regular file with text in it. A file that others can read is only warned about: the reference
/// program accepts it, and a container platform may mount it that way.
pub fn read(path: &Path) -> Result<SecretString, AuthError> {
    let text = read_text(path).map_err(|error| AuthError::Unreadable { path: path.to_owned(), error })?;
    let trimmed = text.expose_secret().trim();
    if trimmed.is_empty() { Err(AuthError::Empty(path.to_owned())) } else { Ok(trimmed.into()) }
}

fn read_text(path: &Path) -> io::Result<SecretString> {
    // Opening a pipe waits for whoever writes to it, unless told not to.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("larger than {MAX_FILE_BYTES} bytes")));
    }
    warn_if_shared(path, &metadata);
    take_text(&file, metadata.len())
}

fn take_text(file: &File, bytes: u64) -> io::Result<SecretString> {
    // With room for all of it from the beginning, growing leaves no copy behind in memory.
    let mut text = String::with_capacity(usize::try_from(bytes).unwrap_or_default() + 1);
    let result = file.take(MAX_FILE_BYTES).read_to_string(&mut text);
    let text = SecretString::from(text);
    result.map(|_| text)
}

fn warn_if_shared(path: &Path, metadata: &Metadata) {
    if metadata.mode() & 0o077 != 0 {
        log::warn!("other users can use the secret in {}; allow it to its owner only: chmod 600", path.display());
    }
    let owner = metadata.uid();
    if owner != 0 && owner != geteuid().as_raw() {
        log::warn!("the secret in {} belongs to user {owner}, who can replace it", path.display());
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use tempfile::TempDir;

    use super::*;

    fn file(content: &[u8]) -> (TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        fs::write(&path, content).unwrap();
        (dir, path)
    }

    fn refusal(path: &Path) -> String {
        read(path).unwrap_err().to_string()
    }

    #[test]
    fn white_space_around_it_does_not_count() {
        let (_dir, path) = file(b" \t hush hush\r\n\n");
        let secret = read(&path).unwrap();
        assert_eq!(secret.expose_secret(), "hush hush");
        assert!(!format!("{secret:?}").contains("hush"));
    }

    #[test]
    fn what_is_not_a_text_file_is_refused() {
        let (dir, path) = file(b"\xff\xfe");
        let shown = path.display();
        let unreadable = |why: &str| format!("failed to read websocket auth secret {shown}: {why}");
        assert_eq!(refusal(&path), unreadable("stream did not contain valid UTF-8"));
        fs::write(&path, " \n").unwrap();
        assert_eq!(refusal(&path), format!("websocket auth secret {shown} must not be empty"));
        fs::write(&path, "x".repeat(65 * 1024)).unwrap();
        assert_eq!(refusal(&path), unreadable("larger than 65536 bytes"));
        fs::remove_file(&path).unwrap();
        assert_eq!(refusal(&path), unreadable("No such file or directory (os error 2)"));
        fs::create_dir(&path).unwrap();
        assert_eq!(refusal(&path), unreadable("Is a directory (os error 21)"));
        drop(dir);
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(refusal(&path).ends_with(": not a regular file"));
    }
}
