//! What stands between TCP peers and the hub. The Unix socket has file modes and the kernel's word on the peer instead.

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

/// A setting about clients on TCP that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDoor {
    /// A host.
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
    /// Serves the hosts that `settings` allow; with `auth`, only clients that it lets in.
    ///
    /// # Errors
    /// When a host in the settings is none, or a proxy.
    pub fn new(settings: &settings::Http, auth: Option<Arc<Auth>>) -> Result<Self, InvalidDoor> {
        let proxies = TrustedProxies::new(&settings.trusted_proxies)?;
        Ok(Self { hosts: HostRule::new(&settings.allowed_hosts)?, proxies, auth })
    }

    /// The proxies that are believed when they say for whom they ask.
    pub fn proxies(&self) -> &TrustedProxies {
        &self.proxies
    }

    /// Judges any request, probes included.
    pub fn check(&self, request: &RequestHead, peer: &TcpPeer) -> Result<(), Refusal> {
        self.hosts.check(request, peer.reached)
    }

    /// Whom limits per peer count the client as that makes a request.
    pub fn client(&self, request: &RequestHead, peer: &TcpPeer) -> PeerNetwork {
        PeerNetwork::of(self.proxies.client(peer.address, request.headers()))
    }

    /// Judges a request to become a WebSocket, after everything else about it was found to be in order.
    pub fn admit(&self, request: &RequestHead, peer: &TcpPeer) -> Result<Pass, Refusal> {
        match &self.auth {
            Some(auth) => Ok(auth.admit(request.headers(), self.client(request, peer))?),
            None => Ok(Pass::WITHOUT_END),
        }
    }
}
