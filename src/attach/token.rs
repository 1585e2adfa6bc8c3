//! The token for a server on TCP.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// Largest token file, in bytes. The longest signed tokens in use have a few thousand.
const FILE_BYTES: u64 = 64 * 1024;

/// A bearer token. It is only read from a file and never shown, because others can read command lines and logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why there is no token. The text contains nothing of the file.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("failed to read the token file {}: {error}", path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The file does not contain a token.
    #[error("the token file {} must hold one token of visible ASCII characters, at most {FILE_BYTES} bytes", .0.display())]
    NoToken(PathBuf),
}

impl Token {
    /// Reads the token in `file`, without surrounding white space.
    ///
    /// # Errors
    /// The file cannot be read, or its content does not fit into an HTTP header.
    pub fn read(file: &Path) -> Result<Self, TokenError> {
        let unreadable = |error| TokenError::Unreadable { path: file.to_owned(), error };
        let no_token = || TokenError::NoToken(file.to_owned());
        let text = read_text(file).map_err(unreadable)?;
        if text.len() as u64 > FILE_BYTES {
            return Err(no_token());
        }
        let token = text.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(no_token());
        }
        Ok(Self(token.to_owned()))
    }

    /// The token, for the `Authorization` header.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

#[expect(clippy::disallowed_methods, reason = "the person who waits names the file, and a shell may make it a pipe")]
fn read_text(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(file)?.take(FILE_BYTES + 1).read_to_string(&mut text)?;
    Ok(text)
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn token_of(content: &[u8]) -> Result<Token, TokenError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        fs::write(&file, content).unwrap();
        Token::read(&file)
    }

    #[test]
    fn blanks_around_the_token_do_not_count() {
        assert_eq!(token_of(b" abc.def\n").unwrap().expose(), "abc.def");
    }

    #[test]
    fn what_is_no_token_is_not_shown() {
        for content in [&b""[..], b" \n", b"two words", b"line\nline", "ü".as_bytes(), &[b'x'; 65 * 1024]] {
            let error = token_of(content).unwrap_err();
            assert!(matches!(error, TokenError::NoToken(_)), "{error}");
        }
        assert!(matches!(token_of(b"\xff").unwrap_err(), TokenError::Unreadable { .. }));
        assert!(!format!("{:?}", token_of(b"secret")).contains("secret"));
    }
}
