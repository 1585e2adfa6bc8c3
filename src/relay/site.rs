//! What the routes share.

use std::sync::Arc;

use actix::{Addr, Handler, Message};
use actix_rt::time::timeout;
use app_server_actors::relay::{Relay, RelayRefusal, RelaySettings};
use governor::{Quota, clock::MonotonicClock};
use tokio::sync::Semaphore;

use super::{error::RelayError, refusal::Refused};
use crate::{
    auth::Guesses,
    http::{HostRule, TrustedProxies},
    listen::PublicUrl,
    settings::Settings,
};

/// State shared by the routes.
pub struct Site {
    /// The actor.
    pub relay: Arc<Addr<Relay>>,
    /// What requests must keep to.
    pub rules: Arc<Rules>,
}

/// What requests must keep to.
pub struct Rules {
    /// The hosts that are served.
    pub hosts: HostRule,
    /// Whose word about the address of a client counts.
    pub proxies: TrustedProxies,
    /// How browsers reach the relay behind a proxy.
    pub public: Option<PublicUrl>,
    /// Whether browsers reach it over TLS.
    pub encrypted: bool,
    /// Codes that were tried.
    pub guesses: Guesses,
    /// The bounds.
    pub settings: RelaySettings,
    /// Longest accepted request head, in bytes.
    pub request_head_bytes: usize,
    /// The public half of the key for pushes, if there is one.
    pub push_key: Option<String>,
    /// Counts the requests that wait for the relay.
    waiting: Semaphore,
}

impl Rules {
    /// The rules of `settings`.
    ///
    /// # Errors
    /// A host in the settings is invalid.
    pub fn new(
        settings: &Settings,
        proxies: TrustedProxies,
        public: Option<PublicUrl>,
        tls: bool,
        push_key: Option<String>,
    ) -> Result<Self, RelayError> {
        let public_host = public.as_ref().map(|url| url.host().to_owned());
        let hosts: Vec<String> = settings.http.allowed_hosts.iter().cloned().chain(public_host).collect();
        let hosts = HostRule::new(&hosts).map_err(|e| RelayError::Setting(e.to_string()))?;
        let relay = settings.relay.clone();
        let quota = Quota::per_minute(relay.failed_attempts_per_minute).allow_burst(relay.failed_attempts_burst);
        Ok(Self {
            hosts,
            proxies,
            encrypted: public.as_ref().map_or(tls, PublicUrl::is_encrypted),
            public,
            guesses: Guesses::new(quota, MonotonicClock),
            waiting: Semaphore::new(relay.mailbox_messages),
            push_key,
            settings: relay,
            request_head_bytes: settings.http.request_head_bytes,
        })
    }
}

impl Site {
    /// Asks the relay.
    ///
    /// # Errors
    /// What the relay refuses; it is busy; or it takes too long.
    pub async fn ask<M, T>(&self, message: M) -> Result<T, Refused>
    where
        M: Message<Result = Result<T, RelayRefusal>> + Send + 'static,
        T: Send + 'static,
        Relay: Handler<M>,
    {
        // `send` alone has no bound.
        let Ok(_waiting) = self.rules.waiting.try_acquire() else { return Err(RelayRefusal::Busy.into()) };
        let asked = self.relay.send(message);
        match timeout(self.rules.settings.request_seconds.duration(), asked).await {
            Ok(Ok(answer)) => Ok(answer?),
            Ok(Err(_)) => Err(RelayRefusal::Failed.into()),
            Err(_) => Err(RelayRefusal::Busy.into()),
        }
    }
}
