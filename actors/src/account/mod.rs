//! The account: `auth.json`, read again when it has changed, and new tokens for it (spec: remote control 3).
//!
//! All code that uses the user's tokens shares one [`Credentials`]: a refresh token can be used only once, so only one
//! task may use it at a time.

pub mod browser;
pub mod callback;
pub mod device;
pub mod issuer;
mod limits;
mod recovery;
mod renewal;
mod sign_in;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_rt::task::spawn_blocking;

use crate::cached_file::{CachedFile, LARGEST_FILE};
use crate::protocol::Secret;
use crate::protocol::account::{AccountTokens, AuthFile, FreshTokens, TokenResponse};
use crate::replace::{NewFile, replace};

pub use recovery::{Recovered, Recovery};
pub use renewal::TokenEndpoint;

/// The account that this host belongs to, as far as a backend asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The id of the ChatGPT account.
    pub id: String,
    /// The access token.
    pub access: Secret,
}

/// The tokens in `auth.json`. All arbiters of the process share one.
pub struct Credentials {
    path: PathBuf,
    file: Mutex<CachedFile<AuthFile>>,
    /// What the file said when [`Self::changed`] last looked.
    seen: Mutex<AuthFile>,
    /// Held while a refresh token is used.
    renewing: tokio::sync::Mutex<()>,
    /// Held while this process changes the file.
    writing: Arc<Mutex<()>>,
    limits: Mutex<limits::SeenLimits>,
}

impl Credentials {
    /// The credentials in `codex_home`.
    pub fn new(codex_home: &Path) -> Self {
        let path = codex_home.join("auth.json");
        let mut file = CachedFile::new(path.clone(), read);
        let seen = file.get().clone();
        let (file, seen) = (Mutex::new(file), Mutex::new(seen));
        Self {
            path,
            file,
            seen,
            renewing: tokio::sync::Mutex::default(),
            writing: Arc::default(),
            limits: Mutex::default(),
        }
    }

    /// What the file says now. Looks at the file, and reads it if it has changed.
    pub fn now(&self) -> AuthFile {
        lock(&self.file).get().clone()
    }

    /// Whether another program has changed the file since the last such question.
    pub fn changed(&self) -> bool {
        let now = self.now();
        std::mem::replace(&mut *lock(&self.seen), now.clone()) != now
    }

    /// Gets new tokens after a backend has refused the access token `refused`, and writes them to `auth.json`, where
    /// the reference program finds them too. `ask` trades a refresh token for new tokens; `now` is the time in RFC
    /// 3339.
    ///
    /// Must not be dropped half way: the old refresh token may be worthless by then.
    ///
    /// # Errors
    /// There is no refresh token, `ask` failed, or the file cannot be written. The text contains no secrets.
    pub async fn renew(
        &self,
        refused: &Secret,
        now: String,
        ask: impl AsyncFnOnce(Secret) -> Result<TokenResponse, String>,
    ) -> Result<(), String> {
        let _alone = self.renewing.lock().await;
        let AuthFile::Chatgpt(before) = self.now() else { return Err("nobody is signed in".to_owned()) };
        // Another request or another program may have renewed them meanwhile.
        if before.access != *refused {
            return Ok(());
        }
        let refresh = before.refresh.clone().ok_or("there is no refresh token")?;
        let TokenResponse { id_token, access_token, refresh_token } = ask(refresh).await?;
        let fresh = FreshTokens { id_token, access_token, refresh_token, at: now };
        let before = AuthFile::Chatgpt(before);
        let (path, writing) = (self.path.clone(), self.writing.clone());
        let written = spawn_blocking(move || {
            let _alone = lock(&writing);
            let text = plain_file::read_to_string(&path, LARGEST_FILE).map_err(|e| e.to_string())?;
            // The user may have signed in again meanwhile; those tokens are then the better ones.
            if AuthFile::read(&text).ok().as_ref() != Some(&before) {
                return Ok(false);
            }
            let text = AuthFile::with_fresh_tokens(&text, &fresh)?;
            replace(&path, text.as_bytes(), NewFile::Private).map(|()| true).map_err(|e| e.to_string())
        });
        if written.await.map_err(|e| e.to_string())?? {
            *lock(&self.seen) = self.now();
        }
        Ok(())
    }
}

impl Account {
    /// The account in `file`; `None` without a ChatGPT sign-in or without an account id.
    pub fn of(file: AuthFile) -> Option<Self> {
        match file {
            AuthFile::Chatgpt(AccountTokens { account_id: Some(id), access, .. }) => Some(Self { id, access }),
            AuthFile::Chatgpt(_) | AuthFile::ApiKey(_) | AuthFile::Nobody => None,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A lock that a panic has poisoned still holds a whole value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An invalid file counts as signed out. It may be half written, so code that would end something because of it checks
/// twice.
fn read(path: &Path, content: io::Result<String>) -> AuthFile {
    let file = content.map_err(|e| e.to_string()).and_then(|text| AuthFile::read(&text));
    file.unwrap_or_else(|reason| {
        log::warn!("{} cannot be used: {reason}", path.display());
        AuthFile::Nobody
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::join;
    use serde_json::{Value, json};

    use super::*;

    fn signed_in() -> (tempfile::TempDir, Credentials) {
        let home = tempfile::tempdir().unwrap();
        let tokens = json!({"id_token": "i", "access_token": "a1", "refresh_token": "r1", "account_id": "acc"});
        std::fs::write(home.path().join("auth.json"), json!({"tokens": tokens}).to_string()).unwrap();
        let credentials = Credentials::new(home.path());
        (home, credentials)
    }

    fn fresh() -> TokenResponse {
        TokenResponse { id_token: None, access_token: Some("a2".into()), refresh_token: Some("r2".into()) }
    }

    #[actix_rt::test]
    async fn a_refresh_token_is_used_once_however_many_ask() {
        let (home, credentials) = signed_in();
        let asked = Cell::new(0);
        let (refused, now) = (Secret::from("a1"), || "2026-01-01T00:00:00Z".to_owned());
        let ask = async |refresh: Secret| {
            asked.set(asked.get() + 1);
            assert_eq!(refresh.expose(), "r1");
            actix_rt::task::yield_now().await;
            Ok(fresh())
        };
        let (one, other) = join(credentials.renew(&refused, now(), ask), credentials.renew(&refused, now(), ask)).await;
        assert_eq!((one, other, asked.get()), (Ok(()), Ok(()), 1));
        let file: Value = serde_json::from_slice(&std::fs::read(home.path().join("auth.json")).unwrap()).unwrap();
        assert_eq!(file["tokens"]["refresh_token"], "r2");
        assert_eq!(Account::of(credentials.now()), Some(Account { id: "acc".into(), access: "a2".into() }));
        assert!(!credentials.changed(), "the process itself has changed it");
    }

    #[actix_rt::test]
    async fn a_sign_in_during_a_renewal_wins() {
        let (home, credentials) = signed_in();
        let path = home.path().join("auth.json");
        let other = json!({"tokens": {"access_token": "b1", "refresh_token": "s1", "account_id": "other"}}).to_string();
        let ask = async |_| {
            std::fs::write(&path, &other).unwrap();
            Ok(fresh())
        };
        credentials.renew(&"a1".into(), String::new(), ask).await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
        assert!(credentials.changed(), "another program has changed it");
    }
}
