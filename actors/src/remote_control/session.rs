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
use super::identity::Identity;
use super::settings::RemoteControlSettings;
use super::url::BackendUrl;
use crate::account::{Account, Recovered, Recovery};
use crate::catalog::{BaseUrl, Catalog};
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::store::{EnrollmentKey, Store};
use crate::times::{self, Rest};

/// The collaborators of sessions.
pub struct Tools {
    pub settings: RemoteControlSettings,
    pub backend: Backend,
    pub identity: Identity,
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

impl Session {
    /// Creates an empty session.
    pub fn new(tools: Rc<Tools>) -> Self {
        Self { tools, held: Mutex::default(), deferred: Cell::default(), account: RefCell::default() }
    }

    /// The base URL: that of the relay in our own settings, or else the one in the current configuration.
    pub async fn url(&self) -> Result<BackendUrl, Failure> {
        let named = self.tools.catalog.send(BaseUrl).await.map_err(Failure::other)?.map_err(Failure::other)?;
        BackendUrl::chosen(&self.tools.settings, named.as_deref()).map_err(Failure::other)
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
        let account = self.tools.identity.account()?;
        let mut mine = self.account.borrow_mut();
        if mine.get_or_insert_with(|| account.id.clone()) != &account.id {
            return Err(Failure::new(Kind::AccountChanged, "remote control authentication changed"));
        }
        Ok(account)
    }

    /// Whether the account is still the one of this session.
    pub fn is_current(&self) -> bool {
        let account = self.tools.identity.account().ok().map(|account| account.id);
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
            // The token of a relay is good, or it is not.
            let Some(credentials) = self.tools.identity.renewable() else { return Err(failure) };
            let (tools, now) = (self.tools.clone(), times::show(self.tools.clock.unix_ms()));
            let ask = async move |refresh| tools.backend.new_account_tokens(refresh).await;
            match recovery.step(credentials, shown, now, ask).await {
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
        let text = match self.tools.identity.account() {
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
