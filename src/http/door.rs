//! What stands between TCP peers and the hub. The Unix socket has file modes and the kernel's word on the peer instead.

use std::sync::Arc;

use actix_web::dev::RequestHead;

use super::{
    Refusal,
    host::{HostRule, InvalidHost},
    peer::TcpPeer,
};
use crate::{
    auth::{Auth, Pass},
    settings,
};

/// The rules for requests over TCP.
pub struct Door {
    hosts: HostRule,
    auth: Option<Arc<Auth>>,
}

impl Door {
    /// Serves the hosts that `settings` allow; with `auth`, only clients that it lets in.
    ///
    /// # Errors
    /// When a host in the settings is none.
    pub fn new(settings: &settings::Http, auth: Option<Arc<Auth>>) -> Result<Self, InvalidHost> {
        Ok(Self { hosts: HostRule::new(&settings.allowed_hosts)?, auth })
    }

    /// Judges any request, probes included.
    pub fn check(&self, request: &RequestHead, peer: &TcpPeer) -> Result<(), Refusal> {
        self.hosts.check(request, peer.reached)
    }

    /// Judges a request to become a WebSocket, after everything else about it was found to be in order.
    pub fn admit(&self, request: &RequestHead, peer: &TcpPeer) -> Result<Pass, Refusal> {
        match &self.auth {
            Some(auth) => Ok(auth.admit(request.headers(), peer.network)?),
            None => Ok(Pass::WITHOUT_END),
        }
    }
}
