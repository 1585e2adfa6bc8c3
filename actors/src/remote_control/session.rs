//! The state of one sign-in at the backend: its enrollment, its server token, and when the backend allows the next
//! request. Another account gets another session.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::{Mutex, MutexGuard};

use super::backend::Backend;
use super::enrollment::EnrollmentState;
use super::failure::{Failure, Kind};
use super::settings::RemoteControlSettings;
use super::url::{BackendUrl, DEFAULT_BASE_URL};
use crate::account::{Account, Credentials, Recovered, Recovery};
use crate::catalog::{BaseUrl, Catalog};
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::protocol::account::AuthFile;
use crate::store::{EnrollmentKey, Store};
use crate::times::{self, Rest};

/// The collaborators of sessions.
pub struct Tools {
    pub settings: RemoteControlSettings,
    pub backend: Backend,
    pub credentials: Arc<Credentials>,
    pub store: Arc<Addr<Store>>,
    pub catalog: Arc<Addr<Catalog>>,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub random: fn() -> f64,
    pub server_name: String,
    /// On stdio the first client's name, otherwise empty; part of the key of an enrollment.
    pub client_name: RefCell<String>,
}

/// See the module's documentation.
pub struct Session {
    pub tools: Rc<Tools>,
    /// Only one task at a time enrolls, refreshes or pairs; the others wait and use its result.
    held: Mutex<EnrollmentState>,
    /// No request of this host before this time.
    deferred: Cell<Rest>,
    /// The account of the session, once it is known.
    account: RefCell<Option<String>>,
}

/// A backend and an account.
#[derive(Clone, Debug)]
pub struct Destination {
    pub url: BackendUrl,
    pub account: Account,
    /// Key of the enrollment.
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
            AuthFile::ApiKey(_) => {
                signed_out("remote control requires ChatGPT authentication; API key auth is not supported")
            }
            AuthFile::Nobody => signed_out("remote control requires ChatGPT authentication"),
        };
        Account::of(file).ok_or(failure)
    }
}

impl Session {
    /// Creates an empty session.
    pub fn new(tools: Rc<Tools>) -> Self {
        Self { tools, held: Mutex::default(), deferred: Cell::default(), account: RefCell::default() }
    }

    /// The base URL in the current configuration.
    pub async fn url(&self) -> Result<BackendUrl, Failure> {
        let named = self.tools.catalog.send(BaseUrl).await.map_err(Failure::other)?.map_err(Failure::other)?;
        let text = named.as_deref().unwrap_or(DEFAULT_BASE_URL);
        BackendUrl::parse(text, &self.tools.settings.hosts).map_err(Failure::other)
    }

    /// The current backend and account.
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

    /// The account, which must stay the same from the first use on.
    fn account(&self) -> Result<Account, Failure> {
        let account = self.tools.account()?;
        let mut mine = self.account.borrow_mut();
        if mine.get_or_insert_with(|| account.id.clone()) != &account.id {
            return Err(Failure::new(Kind::AccountChanged, "remote control authentication changed"));
        }
        Ok(account)
    }

    /// Whether the account is still the one of this session.
    pub fn is_current(&self) -> bool {
        let account = self.tools.account().ok().map(|account| account.id);
        let mine = self.account.borrow();
        mine.is_none() || *mine == account
    }

    /// Resolves when the sign-in of this session has ended. A file that is just being written may look signed out, so
    /// it is checked twice.
    pub async fn ended(&self) {
        loop {
            actix_rt::time::sleep(self.tools.settings.account_check_milliseconds.duration()).await;
            if self.is_current() {
                continue;
            }
            actix_rt::time::sleep(self.tools.settings.account_check_milliseconds.duration()).await;
            if !self.is_current() {
                return;
            }
        }
    }

    /// The enrollment state, locked for changes.
    pub async fn held(&self) -> MutexGuard<'_, EnrollmentState> {
        self.held.lock().await
    }

    /// # Errors
    /// Fails if the backend has asked to wait.
    pub fn check_deferral(&self) -> Result<(), Failure> {
        let deferred = self.deferred.get();
        if deferred.lasts(self.tools.clock.unix_ms()) { Err(Failure::deferred(deferred.until_ms)) } else { Ok(()) }
    }

    /// Records when the backend allows the next request; the latest time counts.
    pub fn heed(&self, failure: &Failure) {
        if let Some(at) = failure.retry_at_ms {
            let since_ms = self.tools.clock.unix_ms();
            let before = Some(self.deferred.get()).filter(|before| before.lasts(since_ms));
            self.deferred.set(Rest { since_ms, until_ms: before.map_or(at, |before| before.until_ms.max(at)) });
        }
    }

    /// Sends a request with the account's token. If the token is refused, takes a step of recovery; a client's request
    /// is then repeated once.
    ///
    /// # Errors
    /// As `ask`; that of the second attempt if there were two.
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

    /// Checks that the account is still the one for which a long request was sent.
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

/// Whether the backend rejected the credentials.
pub fn is_permission(failure: &Failure) -> bool {
    failure.kind == Kind::Permission
}
