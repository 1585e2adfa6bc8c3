//! The account: `auth.json`, read again when it has changed, and new tokens for it (spec: remote control 3).

use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use actix_rt::task::spawn_blocking;
use tokio::sync::Mutex;

use super::backend::Backend;
use super::failure::{Failure, Kind};
use super::session::Tools;
use super::times;
use crate::catalog::CachedFile;
use crate::protocol::remote::{AccountTokens, AuthFile, FreshTokens, Secret};
use crate::replace::{Mode, replace};

/// Who this host belongs to, as far as the backend asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The ChatGPT account.
    pub id: String,
    /// The account access token.
    pub access: Secret,
}

/// The file, and what it said when it was last looked at.
pub struct Credentials {
    path: PathBuf,
    file: RefCell<CachedFile<AuthFile>>,
    seen: RefCell<AuthFile>,
    /// A refresh token may be used once, so nobody else uses it meanwhile.
    renewing: Mutex<()>,
}

impl Credentials {
    /// Those of `codex_home`.
    pub fn new(codex_home: &Path) -> Self {
        let path = codex_home.join("auth.json");
        let mut file = CachedFile::new(path.clone(), read);
        let seen = file.get().clone();
        Self { path, file: RefCell::new(file), seen: RefCell::new(seen), renewing: Mutex::default() }
    }

    /// What the file says now.
    pub fn now(&self) -> AuthFile {
        self.file.borrow_mut().get().clone()
    }

    /// Whether the file says something else than at the last such question, and not through ourselves.
    pub fn changed(&self) -> bool {
        let now = self.now();
        self.seen.replace(now.clone()) != now
    }

    /// The account.
    ///
    /// # Errors
    /// Nobody is signed in, not with ChatGPT, or without an account id; with the reference program's texts.
    pub fn account(&self) -> Result<Account, Failure> {
        let signed_out = |text: &str| Failure::new(Kind::SignedOut, text);
        match self.now() {
            AuthFile::Chatgpt(AccountTokens { account_id: Some(id), access, .. }) => Ok(Account { id, access }),
            AuthFile::Chatgpt(_) => {
                Err(Failure::new(Kind::NoAccount, "remote control enrollment is waiting for a ChatGPT account id"))
            }
            AuthFile::ApiKey => {
                Err(signed_out("remote control requires ChatGPT authentication; API key auth is not supported"))
            }
            AuthFile::Nobody => Err(signed_out("remote control requires ChatGPT authentication")),
        }
    }

    /// Asks the sign-in for new tokens after `refused` was, and keeps them where the reference program finds them too.
    /// Must not be dropped half way: the old refresh token may be worth nothing by then.
    ///
    /// # Errors
    /// There is nothing to ask with, it was refused, or the file cannot be written; without secrets.
    async fn renew(&self, backend: &Backend, refused: &Secret, now: String) -> Result<(), String> {
        let _alone = self.renewing.lock().await;
        let AuthFile::Chatgpt(before) = self.now() else { return Err("nobody is signed in".to_owned()) };
        // Another request or another program may have got new ones meanwhile.
        if before.access != *refused {
            return Ok(());
        }
        let refresh = before.refresh.clone().ok_or("there is no refresh token")?;
        let tokens = backend.new_account_tokens(&refresh).await?;
        let fresh = FreshTokens {
            id_token: tokens.id_token,
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            at: now,
        };
        // Another program may have signed in anew meanwhile; its tokens are then the better ones.
        if self.now() != AuthFile::Chatgpt(before) {
            return Ok(());
        }
        let path = self.path.clone();
        let written = spawn_blocking(move || {
            let text = std::fs::read_to_string(&path).map_err(|e| e.to_string())?;
            let text = AuthFile::with_fresh_tokens(&text, &fresh)?;
            replace(&path, text.as_bytes(), Mode::Private).map_err(|e| e.to_string())
        });
        written.await.map_err(|e| e.to_string())??;
        self.seen.replace(self.now());
        Ok(())
    }
}

/// A file that cannot be understood means that nobody is signed in. It may be half written: whoever would end something
/// for it looks a second time.
fn read(path: &Path, content: io::Result<String>) -> AuthFile {
    let file = content.map_err(|e| e.to_string()).and_then(|text| AuthFile::read(&text));
    file.unwrap_or_else(|reason| {
        log::warn!("{} cannot be used: {reason}", path.display());
        AuthFile::Nobody
    })
}

/// What can still be tried after the backend has refused the account: reading the file again, then new tokens. One step
/// for each refusal.
pub struct Recovery {
    steps: Cell<u8>,
    repeats: bool,
}

impl Recovery {
    /// For a client's request: it takes one step and asks once more. That is the second one, because every question reads
    /// the file again anyway, and somebody waits.
    pub fn of_request() -> Self {
        Self { steps: Cell::new(1), repeats: true }
    }

    /// For the cycle of connecting: after each step it fails, and waits as after every failure.
    pub fn of_cycle() -> Self {
        Self { steps: Cell::new(0), repeats: false }
    }

    /// All steps are there again.
    pub fn renew(&self) {
        self.steps.set(0);
    }

    /// Whether no step is left.
    pub fn is_exhausted(&self) -> bool {
        self.steps.get() >= 2
    }

    /// Takes a step after the token `refused` was. Whether there was one left, and whether to ask again at once.
    pub async fn step(&self, tools: &Rc<Tools>, refused: &Secret) -> Recovered {
        let steps = self.steps.get();
        if self.is_exhausted() {
            return Recovered::Exhausted;
        }
        self.steps.set(steps + 1);
        if steps == 1 {
            let (tools, refused) = (tools.clone(), refused.clone());
            // In a task of its own, because whoever waits here may be dropped.
            let renewed = actix_rt::spawn(async move {
                let now = times::show(tools.clock.unix_ms());
                tools.credentials.renew(&tools.backend, &refused, now).await
            });
            if let Err(reason) = renewed.await.map_err(|e| e.to_string()).flatten() {
                log::warn!("the account tokens could not be refreshed: {reason}");
            }
        }
        if self.repeats { Recovered::AskAgain } else { Recovered::Later }
    }
}

/// What follows from a step of recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing is left to try.
    Exhausted,
    /// Ask again now.
    AskAgain,
    /// Fail, and ask again after the wait.
    Later,
}
