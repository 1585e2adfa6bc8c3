//! Looking at a running server: each actor is asked for its own part, all at once.

use std::time::{Duration, Instant};

use actix::prelude::MailboxError;
use actix_rt::task::spawn_blocking;
use tokio::time::timeout;

use super::Actors;
use crate::commands::MeasureCommands;
use crate::metrics::state::{Process, Queue, State};
use crate::metrics::text::openmetrics;
use crate::panics;
use crate::protocol::diagnostics::DiagnosedConnection;
use crate::remote_control::MeasureRemoteControl;
use crate::router::{Connections, CutOne, MeasureClients};
use crate::store::MeasureStore;
use crate::threads::MeasureThreads;

/// How long an actor may take to answer. Those that scrape wait for ten seconds, as a rule.
const PATIENCE: Duration = Duration::from_secs(1);

impl Actors {
    /// The state of the server now. Takes as long as the slowest actor takes to answer, but no longer than a second. Call it
    /// off the hub.
    pub async fn measure(&self) -> State {
        let (clients, threads, database, commands, remote_control) = tokio::join!(
            answer(self.hub.router().send(MeasureClients)),
            answer(self.threads.send(MeasureThreads)),
            answer(self.store.send(MeasureStore)),
            answer(self.commands.send(MeasureCommands)),
            answer(self.remote_control.send(MeasureRemoteControl)),
        );
        let round_trips = vec![
            ("router", clients.1),
            ("threads", threads.1),
            ("store", database.1),
            ("commands", commands.1),
            ("remote_control", remote_control.1),
        ];
        let mut state = State {
            queues: self.queues(),
            in_flight: self.hub.work().len(),
            draining: self.hub.is_draining(),
            panics: panics::count(),
            lost: self.vitals.lost(),
            clients: clients.0,
            threads: threads.0,
            database: database.0,
            commands: commands.0,
            remote_control: remote_control.0,
            round_trips,
            process: Process::default(),
        };
        if let Some(clients) = &state.clients {
            let (length, bound) = (Some(clients.asked), clients.asked_bound);
            state.queues.push(Queue { name: "server_requests", length, bound });
        }
        let measured = spawn_blocking(move || {
            state.process = Process::measure();
            if let Some(database) = &mut state.database {
                database.measure();
            }
            state
        });
        // It fails only where the runtime ends.
        measured.await.unwrap_or_default()
    }

    /// The answer to a request for `/metrics`; see [`Self::measure`].
    pub async fn openmetrics(&self) -> String {
        let (metrics, state) = (self.hub.metrics().clone(), self.measure().await);
        spawn_blocking(move || openmetrics(metrics, state)).await.unwrap_or_default()
    }

    /// The connections, as `server/diagnostics` shows them. Empty if the router does not answer in time.
    pub async fn connections(&self) -> Vec<DiagnosedConnection> {
        answer(self.hub.router().send(Connections)).await.0.unwrap_or_default()
    }

    /// Cuts the connection with this id; whether it was there.
    pub async fn cut(&self, connection: u64) -> bool {
        let connection = crate::connection::ConnectionId(connection);
        answer(self.hub.router().send(CutOne { connection })).await.0.unwrap_or_default()
    }

    fn queues(&self) -> Vec<Queue> {
        let limits = self.hub.limits();
        let bound = |name, bound| Queue { name, length: None, bound };
        vec![
            Queue {
                length: Some(self.hub.ingress().waiting()),
                ..bound("processor", limits.processor_mailbox_messages)
            },
            bound("router", limits.router_mailbox_messages),
            bound("threads", limits.threads_mailbox_messages),
            bound("thread", limits.thread_mailbox_messages),
            bound("store", limits.store_mailbox_messages),
            bound("catalog", limits.catalog_mailbox_messages),
            bound("commands", limits.commands_mailbox_messages),
            bound("files", limits.files_mailbox_messages),
            bound("search", limits.search_mailbox_messages),
            bound("connection_outbound", limits.websocket_outbound_messages),
            bound("connection_outbound_bytes", limits.outbound_bytes),
        ]
    }
}

/// What an actor answers, and how long it took; nothing if that is too long, or if it has ended.
async fn answer<T>(asked: impl Future<Output = Result<T, MailboxError>>) -> (Option<T>, Option<Duration>) {
    let since = Instant::now();
    match timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => (Some(answer), Some(since.elapsed())),
        Ok(Err(_)) | Err(_) => (None, None),
    }
}
