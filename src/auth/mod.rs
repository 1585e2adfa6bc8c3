//! Authentication of WebSocket clients on TCP. [`AuthPlan`] is the meaning of the flags, [`Policy`] the secrets in
//! their files, and [`Auth`] applies them. SIGHUP reloads the files.
//!
//! A client is checked once, when it connects. Tokens and secrets are never logged, shown or returned.

pub mod bearer;
mod denial;
mod error;
mod failures;
mod guesses;
pub mod hs256;
pub mod jwt;
mod peer_network;
mod plan;
mod policy;
mod secret_file;
mod token_digest;

use std::sync::{Arc, PoisonError, RwLock};

use actix_web::http::header::HeaderMap;
use app_server_actors::{clock::Clock, protocol::scope::Scopes};
use governor::{Quota, clock::MonotonicClock};

pub use app_server_actors::connection::Pass;

use self::policy::Policy;
pub use self::{
    denial::Denial,
    error::AuthError,
    failures::Failures,
    guesses::Guesses,
    peer_network::PeerNetwork,
    plan::{AuthPlan, ExpectedClaims, TokenFile},
    token_digest::TokenDigest,
};
use crate::settings;

/// Clock skew above which a warning is logged, in seconds: no clock is that wrong.
const UNUSUAL_SKEW_SECONDS: i64 = 300;

/// Bytes of a token that nobody finds by trying. Of a token on its way in only the length is known, and that is enough:
/// who guesses a shorter secret must send shorter tokens. A JWT has more, and its signature needs the secret.
const UNGUESSABLE_BYTES: usize = 32;

/// Checks clients.
pub struct Auth {
    plan: AuthPlan,
    /// Replaced as a whole: a client is checked against the old secrets or the new ones.
    policy: RwLock<Arc<Policy>>,
    guesses: Guesses,
    failures: Failures,
    close_on_token_expiry: bool,
    default_scopes: Scopes,
    clock: Clock,
}

impl Auth {
    /// Reads the secrets named by `plan`.
    ///
    /// # Errors
    /// The file is unusable.
    pub fn start(plan: AuthPlan, settings: &settings::Auth, clock: Clock) -> Result<Self, AuthError> {
        let policy = Policy::read(&plan, settings.default_scopes)?;
        warn_of_weak(&plan);
        let quota = Quota::per_minute(settings.failed_attempts_per_minute).allow_burst(settings.failed_attempts_burst);
        Ok(Self {
            plan,
            policy: RwLock::new(Arc::new(policy)),
            guesses: Guesses::new(quota, MonotonicClock),
            failures: Failures::default(),
            close_on_token_expiry: settings.close_on_token_expiry,
            default_scopes: settings.default_scopes,
            clock,
        })
    }

    /// Reloads the secrets for new connections. If that fails, the old ones stay in effect, so that a mistake in a file
    /// locks nobody out.
    pub fn reload(&self) {
        match Policy::read(&self.plan, self.default_scopes) {
            Ok(policy) => {
                *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
                log::info!("reloaded the websocket auth secret; it applies to new connections");
            }
            Err(error) => log::error!("the websocket auth secret could not be reloaded and stays as it was: {error}"),
        }
    }

    /// Checks the headers of a request from `peer`.
    pub fn admit(&self, headers: &HeaderMap, peer: PeerNetwork) -> Result<Pass, Denial> {
        let judged = self.judge(headers, peer);
        if let Err(denial) = judged {
            self.failures.count(denial, peer);
        }
        judged
    }

    /// Counters of refused clients, by reason.
    pub fn failures(&self) -> &Failures {
        &self.failures
    }

    fn judge(&self, headers: &HeaderMap, peer: PeerNetwork) -> Result<Pass, Denial> {
        // A request without a token does not count as a guess.
        let token = bearer::token(headers)?;
        let policy = self.policy.read().unwrap_or_else(PoisonError::into_inner).clone();
        let now = self.clock.unix_ms() / 1000;
        let can_be_guessed = token.len() < UNGUESSABLE_BYTES;
        let pass = self.guesses.attempt(peer, can_be_guessed, || policy.judge(token, now))?;
        Ok(if self.close_on_token_expiry { pass } else { Pass { valid_until: None, ..pass } })
    }
}

fn warn_of_weak(plan: &AuthPlan) {
    let AuthPlan::SignedBearer { expected, .. } = plan else { return };
    if expected.issuer.is_none() || expected.audience.is_none() {
        log::warn!(
            "JWTs that were signed with this secret for another purpose are accepted, too; set --ws-issuer and --ws-audience"
        );
    }
    if expected.skew_seconds > UNUSUAL_SKEW_SECONDS {
        log::warn!("JWTs are accepted for {} s after they have expired", expected.skew_seconds);
    }
}

#[cfg(test)]
mod tests;
