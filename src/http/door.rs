//! The rules between TCP peers and the hub. The Unix socket relies on file modes and the peer credentials of the kernel
//! instead.

use std::sync::Arc;

use actix_web::dev::RequestHead;

use super::{
    Refusal,
    host::{HostRule, InvalidHost},
    peer::TcpPeer,
    proxies::{InvalidProxy, TrustedProxies},
};
use crate::{
    auth::{Auth, Pass, PeerNetwork},
    settings,
};

/// An invalid setting about clients on TCP.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDoor {
    /// A host name.
    #[error(transparent)]
    Host(#[from] InvalidHost),
    /// A proxy.
    #[error(transparent)]
    Proxy(#[from] InvalidProxy),
}

/// The rules for requests over TCP.
pub struct Door {
    hosts: HostRule,
    proxies: TrustedProxies,
    auth: Option<Arc<Auth>>,
}

impl Door {
    /// Creates the rules: hosts according to `settings`, and with `auth` only authenticated clients.
    ///
    /// # Errors
    /// A host or a proxy in the settings is invalid.
    pub fn new(settings: &settings::Http, auth: Option<Arc<Auth>>) -> Result<Self, InvalidDoor> {
        let proxies = TrustedProxies::new(&settings.trusted_proxies)?;
        Ok(Self { hosts: HostRule::new(&settings.allowed_hosts)?, proxies, auth })
    }

    /// Whether clients must show a token.
    pub fn asks_for_tokens(&self) -> bool {
        self.auth.is_some()
    }

    /// The trusted proxies.
    pub fn proxies(&self) -> &TrustedProxies {
        &self.proxies
    }

    /// Checks any request, including probes.
    pub fn check(&self, request: &RequestHead, peer: &TcpPeer) -> Result<(), Refusal> {
        self.hosts.check(request, peer.reached)
    }

    /// The network that per-peer limits count for a request.
    pub fn client(&self, request: &RequestHead, peer: &TcpPeer) -> PeerNetwork {
        PeerNetwork::of(self.proxies.client(peer.address, request.headers()))
    }

    /// Checks a WebSocket upgrade, after all other checks.
    pub fn admit(&self, request: &RequestHead, peer: &TcpPeer) -> Result<Pass, Refusal> {
        match &self.auth {
            Some(auth) => Ok(auth.admit(request.headers(), self.client(request, peer))?),
            None => Ok(Pass::UNLIMITED),
        }
    }
}
