//! Reads a token or a secret from its file.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use plain_file::Links;
use rustix::process::geteuid;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

use super::AuthError;

/// Largest token or secret file, in bytes. A token that a client can send is much shorter.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Byte order marks of UTF-8 and UTF-16.
const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];

/// Reads the file at `path`, without surrounding white space.
///
/// # Errors
/// It is not a regular file with one line of ASCII text. No client could send anything else, so the file was saved
/// wrongly. A file that others can read only causes a warning: the reference program accepts it, and container
/// platforms may mount it like that.
pub fn read(path: &Path) -> Result<SecretString, AuthError> {
    let bytes = read_bytes(path).map_err(|error| AuthError::Unreadable { path: path.to_owned(), error })?;
    let bytes = bytes.expose_secret().trim_ascii();
    if bytes.is_empty() {
        return Err(AuthError::Empty(path.to_owned()));
    }
    match fault(bytes) {
        Some(fault) => Err(AuthError::NotOneLine { path: path.to_owned(), fault }),
        // It is ASCII.
        None => Ok(String::from_utf8_lossy(bytes).as_ref().into()),
    }
}

/// Why `bytes` are not a valid secret, if so.
fn fault(bytes: &[u8]) -> Option<&'static str> {
    if MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        Some("begins with a byte order mark; save it as plain text without one")
    } else if bytes.contains(&b'\n') || bytes.contains(&b'\r') {
        Some("has several lines; it must hold one secret and nothing else")
    } else if !bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        Some("holds other characters than visible ASCII ones")
    } else {
        None
    }
}

fn read_bytes(path: &Path) -> io::Result<SecretSlice<u8>> {
    let file = plain_file::open(path, Links::Follow)?;
    let metadata = file.metadata()?;
    if metadata.len() > MAX_FILE_BYTES {
        return Err(io::Error::other(format!("larger than {MAX_FILE_BYTES} bytes")));
    }
    warn_if_shared(path, &metadata);
    take_bytes(&file, metadata.len())
}

fn take_bytes(file: &File, length: u64) -> io::Result<SecretSlice<u8>> {
    // Reserves the whole capacity first, because growing would leave copies of the secret in memory.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    let result = file.take(MAX_FILE_BYTES).read_to_end(&mut bytes);
    let bytes = SecretSlice::from(bytes);
    result.map(|_| bytes)
}

fn warn_if_shared(path: &Path, metadata: &Metadata) {
    if metadata.mode() & 0o077 != 0 {
        log::warn!(
            "other users can read or change the secret in {}; restrict it to its owner: chmod 600",
            path.display()
        );
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
        let (dir, path) = file(b"");
        let shown = path.display();
        let unreadable = |why: &str| format!("failed to read websocket auth secret {shown}: {why}");
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
    fn what_no_client_could_send_is_refused_in_words() {
        let cases: [(&[u8], &str); 8] = [
            (b"\xef\xbb\xbfsecret\n", "begins with a byte order mark"),
            (b"\xff\xfes\0e\0", "begins with a byte order mark"),
            (b"\xfe\xff\0s\0e", "begins with a byte order mark"),
            (b"one\ntwo\n", "has several lines"),
            (b"one\r\n\r\ntwo", "has several lines"),
            ("geheim\u{e4}".as_bytes(), "holds other characters"),
            (b"a\tb", "holds other characters"),
            (b"a\0b", "holds other characters"),
        ];
        for (content, reason) in cases {
            let (_dir, path) = file(content);
            let text = refusal(&path);
            assert!(text.starts_with(&format!("websocket auth secret {} {reason}", path.display())), "{text}");
            assert!(!text.contains("two") && !text.contains("geheim"), "it shows nothing of the secret: {text}");
        }
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
