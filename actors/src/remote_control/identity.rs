//! As whom this host speaks to its backend: as the account of the ChatGPT sign-in, or with the token of a relay.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::failure::{Failure, Kind};
use crate::account::{Account, Credentials};
use crate::cached_file::CachedFile;
use crate::protocol::Secret;
use crate::protocol::account::AuthFile;

/// Largest token file, in bytes.
const TOKEN_FILE_BYTES: usize = 64 * 1024;

/// See the module's documentation.
pub enum Identity {
    /// `auth.json`; the tokens can be renewed.
    SignIn(Arc<Credentials>),
    /// The file that holds a token of `relay token add`.
    Relay(TokenFile),
}

/// A token file, read again when it has changed.
pub struct TokenFile {
    path: PathBuf,
    file: Mutex<CachedFile<Read>>,
    /// What it said when somebody last asked whether it has changed.
    seen: Mutex<Read>,
}

type Read = Result<Account, String>;

impl Identity {
    /// The account that the backend is asked for.
    ///
    /// # Errors
    /// Nobody is signed in, not with ChatGPT, or without an account id; with the reference program's texts. Or the token file
    /// holds no token.
    pub fn account(&self) -> Result<Account, Failure> {
        let signed_out = |text: &str| Failure::new(Kind::SignedOut, text);
        let credentials = match self {
            Self::SignIn(credentials) => credentials,
            Self::Relay(token) => return token.now().map_err(|reason| signed_out(&token.fault(&reason))),
        };
        let file = credentials.now();
        let failure = match &file {
            AuthFile::Chatgpt(_) => {
                Failure::new(Kind::NoAccount, "remote control enrollment is waiting for a ChatGPT account id")
            }
            AuthFile::ApiKey(_) => {
                signed_out("remote control requires ChatGPT authentication; API key auth is not supported")
            }
            AuthFile::Nobody => signed_out("remote control requires ChatGPT authentication"),
        };
        Account::of(file).ok_or(failure)
    }

    /// Whether another program has changed it since the last such question.
    pub fn changed(&self) -> bool {
        match self {
            Self::SignIn(credentials) => credentials.changed(),
            Self::Relay(token) => token.changed(),
        }
    }

    /// The sign-in, whose tokens can be renewed; `None` for a relay.
    pub fn renewable(&self) -> Option<&Arc<Credentials>> {
        match self {
            Self::SignIn(credentials) => Some(credentials),
            Self::Relay(_) => None,
        }
    }
}

impl TokenFile {
    /// The token file at `path`.
    pub fn new(path: PathBuf) -> Self {
        let mut file = CachedFile::bounded(path.clone(), TOKEN_FILE_BYTES, read);
        let seen = Mutex::new(file.get().clone());
        Self { path, file: Mutex::new(file), seen }
    }

    fn now(&self) -> Read {
        lock(&self.file).get().clone()
    }

    fn changed(&self) -> bool {
        let now = self.now();
        std::mem::replace(&mut *lock(&self.seen), now.clone()) != now
    }

    fn fault(&self, reason: &str) -> String {
        format!("remote control needs the token of the relay, but {} {reason}", self.path.display())
    }
}

/// Reads a token: the id of an account, a dot, and a secret. The texts do not quote it.
fn read(_: &Path, content: std::io::Result<String>) -> Read {
    let text = content.map_err(|error| format!("cannot be read: {error}"))?;
    let token = text.trim();
    let is_text = token.bytes().all(|byte| byte.is_ascii_graphic());
    match token.split_once('.') {
        Some((id, secret)) if is_text && !id.is_empty() && !secret.is_empty() => {
            Ok(Account { id: id.to_owned(), access: Secret::from(token) })
        }
        _ => Err("holds no token; write into it what `codex-app-server relay token add NAME` has printed".to_owned()),
    }
}

/// A lock that a panic has poisoned still holds a whole value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_relay_names_its_account_and_is_not_shown_where_it_is_wrong() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("token");
        let identity = Identity::Relay(TokenFile::new(path.clone()));
        assert!(identity.account().unwrap_err().text.contains("holds no token"));
        std::fs::write(&path, "acc_1.secret\n").unwrap();
        assert!(identity.changed() && !identity.changed());
        assert_eq!(identity.account().unwrap(), Account { id: "acc_1".into(), access: "acc_1.secret".into() });
        for wrong in ["", "secret-1", "acc_1.two secret-1", ".secret-1"] {
            std::fs::write(&path, wrong).unwrap();
            let told = identity.account().unwrap_err().text;
            assert!(told.contains("relay token add") && !told.contains("secret-1"), "{told}");
        }
    }
}
