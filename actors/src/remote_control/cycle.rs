//! The cycle of connecting: runs while remote control is enabled, and ends only with its sign-in (spec: remote control
//! 10.2).
//!
//! ```text
//!            ┌───────────────────────── lost: wait ─────────────────────────┐
//!            ▼                                                              │
//!        connecting ──▶ attempt: URL, account, enrollment, token, dial ──▶ connected
//!            ▲ would block │  ▲                │
//!            └─── wait ────┘  └── wait ──── errored
//! ```
//!
//! Every wait is a backoff, or as long as the backend requests if that is longer; a new sign-in ends it. Dropping the
//! future stops everything at once: each change is either completely on disk or not at all. Only a renewal of account
//! tokens in progress is completed even then.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use actix::prelude::*;
use actix_rt::time::sleep;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::backend::circumstances;
use super::enrollment::Enrollment;
use super::failure::{Failure, Kind};
use super::published_status::PublishedStatus;
use super::session::{Destination, Session};
use crate::account::Recovery;
use crate::backoff::Backoff;
use crate::context::Context;
use crate::metrics::count;
use crate::protocol::body::{detail, preview};
use crate::remote_link::{Decide, Dial, DialError, EndSession, HangUp, OpenPairing, Readmit, Revoke, SendRest};

/// The body of a 404 that means that the backend has forgotten this host.
const FORGOTTEN: &str = "Remote app server not found";

/// The link. One recipient per message, never cloned.
pub struct Link {
    pub(super) dial: Recipient<Dial>,
    pub(super) hang_up: Recipient<HangUp>,
    pub(super) end_session: Recipient<EndSession>,
    pub(super) send_rest: Recipient<SendRest>,
    pub(super) revoke: Recipient<Revoke>,
    pub(super) readmit: Recipient<Readmit>,
    pub(super) open_pairing: Recipient<OpenPairing>,
    pub(super) decide: Recipient<Decide>,
    /// The time limit of a dial, for its error text.
    dial_time: Duration,
}

impl Link {
    /// The link at `address`, whose dials take at most `dial_time`.
    pub(crate) fn new<L>(address: &Addr<L>, dial_time: Duration) -> Self
    where
        L: Actor<Context = Context<L>> + Handler<Dial> + Handler<HangUp> + Handler<EndSession> + Handler<SendRest>,
        L: Handler<Revoke> + Handler<Readmit> + Handler<OpenPairing> + Handler<Decide>,
    {
        Self {
            dial: address.clone().recipient(),
            hang_up: address.clone().recipient(),
            end_session: address.clone().recipient(),
            send_rest: address.clone().recipient(),
            revoke: address.clone().recipient(),
            readmit: address.clone().recipient(),
            open_pairing: address.clone().recipient(),
            decide: address.clone().recipient(),
            dial_time,
        }
    }
}

/// See the module's documentation.
pub struct Cycle {
    pub session: Rc<Session>,
    pub status: Rc<PublishedStatus>,
    pub link: Rc<Link>,
    /// Signalled when the socket is lost.
    pub lost: Rc<Notify>,
    recovery: Recovery,
    backoff: RefCell<Backoff>,
}

impl Cycle {
    /// Creates a cycle that has not started.
    pub fn new(session: Rc<Session>, status: Rc<PublishedStatus>, link: Rc<Link>, lost: Rc<Notify>) -> Self {
        let backoff = RefCell::new(session.tools.settings.backoff());
        Self { session, status, link, lost, recovery: Recovery::of_cycle(), backoff }
    }

    /// Stays connected until the sign-in ends.
    pub async fn run(&self) {
        tokio::select! {
            () = self.connect_again_and_again() => {}
            () = self.session.ended() => {}
        }
    }

    async fn connect_again_and_again(&self) {
        loop {
            self.status.connecting();
            while let Err(failure) = self.attempt().await {
                self.show(&failure);
                self.wait(&failure).await;
            }
            self.stay_connected().await;
        }
    }

    /// Makes one attempt to establish a socket.
    async fn attempt(&self) -> Result<(), Failure> {
        let to = self.session.destination().await?;
        let mut held = self.session.held().await;
        let enrollment = self.session.enrolled(&mut held, &to, &self.recovery).await?;
        self.status.environment(Some(&enrollment.environment_id));
        let enrollment = self.session.refreshed(&mut held, &to, enrollment, &self.recovery).await?;
        self.status.environment(Some(&enrollment.environment_id));
        self.session.check_deferral()?;
        let token = held.token().cloned().ok_or_else(|| Failure::other("there is no server token"))?;
        drop(held);

        let keys = match self.session.tools.settings.encrypts() {
            true => Some(self.session.keys(&enrollment.environment_id).await?),
            false => None,
        };
        let url = to.url.websocket();
        let dial = Dial {
            url: url.to_string(),
            server_token: token.0,
            server_id: enrollment.server_id.clone(),
            server_name: self.session.tools.server_name.clone(),
            installation_id: self.status.state().installation_id,
            keys,
        };
        // A pending signal belongs to an earlier socket.
        let _ = futures_util::FutureExt::now_or_never(self.lost.notified());
        match self.link.dial.send(dial).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.refused(error, &to, &enrollment).await),
            Err(error) => Err(Failure::other(format!("the remote control link has ended: {error}"))),
        }
    }

    /// Handles a refused upgrade (spec: remote control 5).
    async fn refused(&self, error: DialError, to: &Destination, enrollment: &Enrollment) -> Failure {
        let url = to.url.websocket();
        let (status, retry_after, body, request_id, cf_ray) = match error {
            DialError::Refused { status, retry_after, body, request_id, cf_ray } => {
                (status, retry_after, body, request_id, cf_ray)
            }
            DialError::TimedOut => {
                let seconds = self.link.dial_time.as_secs();
                return Failure::other(format!(
                    "timed out connecting to remote control websocket at `{url}` after {seconds}s"
                ));
            }
            DialError::Failed(reason) => {
                return Failure::other(format!("failed to connect to remote control websocket at `{url}`: {reason}"));
            }
        };
        let shown = preview(body.as_bytes());
        let told = circumstances(status, request_id.as_deref(), cf_ray.as_deref(), &shown);
        let mut failure = Failure::other(format!("failed to connect to remote control websocket at `{url}`: {told}"));
        match status {
            401 | 403 => {
                log::warn!(
                    "remote control websocket auth failed with HTTP {status}; refreshing server token before reconnect"
                );
                self.session.held().await.drop_token();
            }
            404 if detail(&body).as_deref() == Some(FORGOTTEN) => {
                self.status.errored(&failure.text);
                self.enroll_anew(to, enrollment).await;
            }
            429 | 503 => {
                failure.retry_at_ms = retry_after.and_then(|header| self.session.tools.backend.retry_at(&header));
                self.session.heed(&failure);
            }
            _ => {}
        }
        failure
    }

    async fn enroll_anew(&self, to: &Destination, forgotten: &Enrollment) {
        let mut held = self.session.held().await;
        // A pairing may have done it meanwhile.
        if held.enrollment(&to.key) != Some(forgotten) {
            return;
        }
        match self.session.enroll(&mut held, to, &self.recovery).await {
            Ok(enrollment) => self.status.environment(Some(&enrollment.environment_id)),
            Err(failure) => log::warn!("{failure}"),
        }
    }

    fn show(&self, failure: &Failure) {
        if failure.would_block() {
            return log::debug!("{failure}");
        }
        log::warn!("remote control is not connected: {failure}");
        count(&self.session.tools.metrics.remote_failures);
        if failure.kind == Kind::SignedOut {
            self.status.environment(None);
        }
        self.status.errored(&failure.text);
    }

    async fn wait(&self, failure: &Failure) {
        let tools = &self.session.tools;
        if failure.kind == Kind::NoAccount {
            return sleep(tools.settings.account_check_milliseconds.duration()).await;
        }
        let backoff = self.backoff.borrow_mut().next((tools.random)());
        self.pause(backoff).await;
    }

    /// Waits for the backoff or until a new sign-in, but at least as long as the backend requests.
    async fn pause(&self, backoff: Duration) {
        let tools = &self.session.tools;
        let end = Instant::now() + backoff;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let deferred = self.session.check_deferral().is_err();
            if left.is_zero() && !deferred {
                return;
            }
            let check = tools.settings.account_check_milliseconds.duration();
            sleep(if left.is_zero() { check } else { left.min(check) }).await;
            if tools.identity.changed() {
                self.recovery.renew();
                self.backoff.borrow_mut().reset();
                if !deferred {
                    return;
                }
            }
        }
    }

    /// Waits until the socket is lost, and for the backoff after that.
    async fn stay_connected(&self) {
        self.status.connected();
        count(&self.session.tools.metrics.remote_connections);
        self.recovery.renew();
        let since = Instant::now();
        self.lost.notified().await;
        if since.elapsed() >= self.session.tools.settings.stable_milliseconds.duration() {
            self.backoff.borrow_mut().reset();
        }
        self.status.connecting();
        let backoff = self.backoff.borrow_mut().next((self.session.tools.random)());
        self.pause(backoff).await;
    }
}
