//! What one login has with the backend: its enrollment, its server token, and until when the backend wants to be left
//! alone. Another account gets another session.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::{Mutex, MutexGuard};

use super::backend::Backend;
use super::enrollment::Held;
use super::failure::{Failure, Kind};
use super::settings::RemoteControlSettings;
use super::url::{BackendUrl, DEFAULT_BASE_URL};
use crate::account::{Account, Credentials, Recovered, Recovery};
use crate::catalog::{BaseUrl, Catalog};
use crate::clock::Clock;
use crate::protocol::account::AuthFile;
use crate::store::{EnrollmentKey, Store};
use crate::times::{self, Rest};

/// What every session works with.
pub struct Tools {
    pub settings: RemoteControlSettings,
    pub backend: Backend,
    pub credentials: Arc<Credentials>,
    pub store: Arc<Addr<Store>>,
    pub catalog: Arc<Addr<Catalog>>,
    pub clock: Clock,
    pub random: fn() -> f64,
    pub server_name: String,
    /// On stdio the first client's name, else empty: part of the name of an enrollment.
    pub client_name: RefCell<String>,
}

/// See the module's documentation.
pub struct Session {
    pub tools: Rc<Tools>,
    /// One at a time enrolls, refreshes and pairs; others wait, and find what the first has brought.
    held: Mutex<Held>,
    /// No call of this host meanwhile.
    deferred: Cell<Rest>,
    /// Whose session it is, once that was seen.
    account: RefCell<Option<String>>,
}

/// Which backend, and as whom.
#[derive(Clone, Debug)]
pub struct Destination {
    pub url: BackendUrl,
    pub account: Account,
    /// Under which the enrollment is kept.
    pub key: EnrollmentKey,
}

impl Tools {
    /// The account that the backend is asked for.
    ///
    /// # Errors
    /// Nobody is signed in, not with ChatGPT, or without an account id; with the reference program's texts.
    fn account(&self) -> Result<Account, Failure> {
        let signed_out = |text: &str| Failure::new(Kind::SignedOut, text);
        let file = self.credentials.now();
        let failure = match &file {
            AuthFile::Chatgpt(_) => {
                Failure::new(Kind::NoAccount, "remote control enrollment is waiting for a ChatGPT account id")
            }
            AuthFile::ApiKey => {
                signed_out("remote control requires ChatGPT authentication; API key auth is not supported")
            }
            AuthFile::Nobody => signed_out("remote control requires ChatGPT authentication"),
        };
        Account::of(file).ok_or(failure)
    }
}

impl Session {
    /// Nothing is known yet.
    pub fn new(tools: Rc<Tools>) -> Self {
        Self { tools, held: Mutex::default(), deferred: Cell::default(), account: RefCell::default() }
    }

    /// The base URL that the configuration names at this moment.
    pub async fn url(&self) -> Result<BackendUrl, Failure> {
        let named = self.tools.catalog.send(BaseUrl).await.map_err(Failure::other)?.map_err(Failure::other)?;
        let text = named.as_deref().unwrap_or(DEFAULT_BASE_URL);
        BackendUrl::parse(text, &self.tools.settings.hosts).map_err(Failure::other)
    }

    /// Where to turn, and as whom.
    pub async fn destination(&self) -> Result<Destination, Failure> {
        let url = self.url().await?;
        if self.tools.backend.installation_id().is_empty() {
            return Err(Failure::other("remote control needs an installation_id, which cannot be read or written"));
        }
        let account = self.account()?;
        let key = EnrollmentKey {
            websocket_url: url.websocket().into(),
            account_id: account.id.clone(),
            client_name: self.tools.client_name.borrow().clone(),
        };
        Ok(Destination { url, account, key })
    }

    /// The account, which from the first time on must stay the same.
    fn account(&self) -> Result<Account, Failure> {
        let account = self.tools.account()?;
        let mut mine = self.account.borrow_mut();
        if mine.get_or_insert_with(|| account.id.clone()) != &account.id {
            return Err(Failure::new(Kind::AccountChanged, "remote control authentication changed"));
        }
        Ok(account)
    }

    /// Whether the account is the one that this session began with, if it has begun.
    pub fn is_current(&self) -> bool {
        let account = self.tools.account().ok().map(|account| account.id);
        let mine = self.account.borrow();
        mine.is_none() || *mine == account
    }

    /// Resolves when the login of this session is over. A file that another program is just writing may look as if
    /// nobody were signed in, so it must look so twice.
    pub async fn ended(&self) {
        loop {
            actix_rt::time::sleep(self.tools.settings.account_check()).await;
            if self.is_current() {
                continue;
            }
            actix_rt::time::sleep(self.tools.settings.account_check()).await;
            if !self.is_current() {
                return;
            }
        }
    }

    /// What is held, for whoever may change it.
    pub async fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().await
    }

    /// # Errors
    /// The backend wants to be left alone.
    pub fn check_deferral(&self) -> Result<(), Failure> {
        let deferred = self.deferred.get();
        if deferred.lasts(self.tools.clock.unix_ms()) { Err(Failure::deferred(deferred.until_ms)) } else { Ok(()) }
    }

    /// Remembers what a failure says about when to come back; the latest moment counts.
    pub fn heed(&self, failure: &Failure) {
        if let Some(at) = failure.retry_at_ms {
            let since_ms = self.tools.clock.unix_ms();
            let before = Some(self.deferred.get()).filter(|before| before.lasts(since_ms));
            self.deferred.set(Rest { since_ms, until_ms: before.map_or(at, |before| before.until_ms.max(at)) });
        }
    }

    /// Asks with the account's token; where it is refused, takes a step of recovery, after which a client's request is
    /// repeated once.
    ///
    /// # Errors
    /// As `ask`; the second one if there were two.
    pub async fn with_recovery<T>(
        &self,
        recovery: &Recovery,
        refused: impl Fn(&Failure) -> bool,
        ask: impl AsyncFn(Account) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        loop {
            let account = self.account()?;
            let shown = account.access.clone();
            let failure = match ask(account).await {
                Err(failure) if refused(&failure) => failure,
                answered => return answered,
            };
            let (tools, now) = (self.tools.clone(), times::show(self.tools.clock.unix_ms()));
            let ask = async move |refresh| tools.backend.new_account_tokens(refresh).await;
            match recovery.step(&self.tools.credentials, shown, now, ask).await {
                Recovered::AskAgain => {}
                Recovered::Later | Recovered::Exhausted => return Err(failure),
            }
        }
    }

    /// Whether the account is still the one that a long call was made for.
    ///
    /// # Errors
    /// The texts are the reference program's.
    pub fn check_account(&self, before: &str) -> Result<(), Failure> {
        let text = match self.tools.account() {
            Ok(account) if account.id == before => return Ok(()),
            Ok(_) => "remote control account changed during enrollment",
            Err(_) => "remote control authentication changed",
        };
        Err(Failure::new(Kind::AccountChanged, text))
    }
}

/// Whether the backend did not accept who asked.
pub fn is_permission(failure: &Failure) -> bool {
    failure.kind == Kind::Permission
}
