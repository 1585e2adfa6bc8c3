//! What is known of a connection, for people: in the log, and for `server/diagnostics`.

use std::collections::BTreeMap;

use actix::prelude::*;
use tokio::time::Instant;

use super::peer::{Cut, Peer};
use super::{Connections, CutOne, MeasureClients, Router};
use crate::connection::ConnectionId;
use crate::metrics::state::Clients;
use crate::protocol::diagnostics::DiagnosedConnection;

/// Target of the log lines about the coming and going of clients.
const CLIENTS: &str = "app_server_actors::clients";

impl Handler<Connections> for Router {
    type Result = MessageResult<Connections>;

    fn handle(&mut self, _: Connections, _: &mut Self::Context) -> Self::Result {
        let now = Instant::now();
        MessageResult(self.peers.iter().map(|(id, peer)| peer.diagnosed(*id, now)).collect())
    }
}

impl Handler<MeasureClients> for Router {
    type Result = MessageResult<MeasureClients>;

    fn handle(&mut self, _: MeasureClients, _: &mut Self::Context) -> Self::Result {
        let (asked, asked_bound) = self.asked.count();
        let mut clients = Clients { asked, asked_bound, ..Clients::default() };
        let mut kinds = BTreeMap::<&'static str, usize>::new();
        for peer in self.peers.values() {
            *kinds.entry(peer.origin.label()).or_default() += 1;
            clients.initialized += usize::from(peer.client.is_some());
            let bytes = peer.queued_bytes() as u64;
            clients.pending_bytes = clients.pending_bytes.saturating_add(bytes);
            clients.most_pending_bytes = clients.most_pending_bytes.max(bytes);
        }
        clients.connections = kinds.into_iter().collect();
        MessageResult(clients)
    }
}

impl Handler<CutOne> for Router {
    type Result = bool;

    fn handle(&mut self, CutOne { connection }: CutOne, _: &mut Self::Context) -> bool {
        let is_there = self.peers.contains_key(&connection);
        self.cut(connection, Cut::Unwanted);
        is_there
    }
}

impl Peer {
    /// Logs that the connection was opened.
    pub(super) fn log_start(&self, id: ConnectionId) {
        log::info!(target: CLIENTS, connection = id.0, peer = self.place(); "connection {id} from {} opened", self.place());
    }

    /// Logs who the client is.
    pub(super) fn log_name(&self, id: ConnectionId) {
        let (place, client) = (self.place(), self.client());
        log::info!(target: CLIENTS, connection = id.0, peer = place; "connection {id} from {place} is {client}");
    }

    /// Logs that the connection has ended.
    pub(super) fn log_end(&self, id: ConnectionId) {
        let (place, client, seconds, end) = (self.place(), self.client(), self.seconds(Instant::now()), self.end());
        log::info!(
            target: CLIENTS, connection = id.0, peer = place, seconds;
            "connection {id} from {place} ({client}) ended after {seconds} s, {end}"
        );
    }

    /// For `server/diagnostics`.
    pub(super) fn diagnosed(&self, id: ConnectionId, now: Instant) -> DiagnosedConnection {
        DiagnosedConnection {
            id: id.0,
            client: self.client.clone(),
            peer: self.place(),
            transport: self.origin.to_string(),
            connected_seconds: self.seconds(now),
            queued_bytes: self.queued_bytes() as u64,
            threads: self.subscriptions.len() as u64,
        }
    }

    /// Where its client is, for people.
    fn place(&self) -> String {
        if self.address.is_empty() { self.origin.to_string() } else { self.address.clone() }
    }

    /// Name and version of its client.
    fn client(&self) -> &str {
        self.client.as_deref().unwrap_or("a client without a name")
    }

    /// How the connection ended, for people.
    fn end(&self) -> String {
        self.pulse.close_code().map_or_else(|| "without a close frame".to_owned(), |code| format!("close code {code}"))
    }

    /// Whole seconds since it was opened.
    fn seconds(&self, now: Instant) -> u64 {
        now.duration_since(self.since).as_secs()
    }
}
