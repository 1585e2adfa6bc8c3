//! The sign of life: a client in this process whose requests take the way of every client's.

use std::time::Duration;

use app_server_actors::{
    protocol::{
        calls::{SERVER_DIAGNOSTICS, THREAD_LIST},
        diagnostics::ServerDiagnosticsResponse,
        initialize::Capabilities,
        notification::ServerNotification,
        thread::ThreadListParams,
    },
    start::Actors,
};
use tokio::time::{sleep, timeout};

use super::Supervisor;
use crate::attach::{Client, ClientError};

/// Name of the client, and the size of its buffer in bytes.
const NAME: &str = "codex-app-server-supervisor";
const BUFFER_BYTES: usize = 64 * 1024;

/// How often the status is told to a supervisor that has no watchdog.
const STATUS_EVERY: Duration = Duration::from_secs(10);

/// Asks the server something, again and again.
pub struct Pulse<'a> {
    actors: &'a Actors,
    supervisor: &'a Supervisor,
}

impl<'a> Pulse<'a> {
    /// Tells `supervisor` how the server of `actors` is.
    pub fn new(actors: &'a Actors, supervisor: &'a Supervisor) -> Self {
        Self { actors, supervisor }
    }

    /// Says that the server is alive each time that a question has gone round through connection, processor, threads, store
    /// and router in half of the time that the supervisor waits. Never ends.
    pub async fn run(self) {
        if !self.supervisor.listens() {
            return std::future::pending().await;
        }
        let every = self.supervisor.watchdog().map_or(STATUS_EVERY, |patience| patience / 2);
        let mut client = None;
        loop {
            match timeout(every, self.ask(&mut client)).await {
                Ok(Ok(server)) => self.supervisor.alive(&in_words(&server)),
                Ok(Err(error)) => {
                    log::warn!("the server does not answer its own question: {error}");
                    client = None;
                }
                Err(_) => {
                    log::warn!("the server has not answered its own question for {} ms", every.as_millis());
                    client = None;
                }
            }
            sleep(every / 2).await;
        }
    }

    async fn ask(&self, kept: &mut Option<Client>) -> Result<ServerDiagnosticsResponse, ClientError> {
        let mut client = match kept.take() {
            Some(client) => client,
            None => Client::over(self.actors.open(BUFFER_BYTES), NAME, deaf()).await?.0,
        };
        client.call(&THREAD_LIST, &ThreadListParams { limit: Some(1), ..ThreadListParams::default() }).await?;
        let server = client.call(&SERVER_DIAGNOSTICS, &()).await?;
        *kept = Some(client);
        Ok(server)
    }
}

/// It wants to hear nothing of what the others do.
fn deaf() -> Capabilities {
    let all = ServerNotification::TABLE.iter().map(|row| row.name.to_owned()).collect();
    Capabilities { experimental_api: true, opt_out_notification_methods: Some(all) }
}

fn in_words(server: &ServerDiagnosticsResponse) -> String {
    let clients =
        server.connections.iter().filter(|it| it.client.as_deref().is_none_or(|name| !name.starts_with(NAME)));
    let in_work = server.gauges.iter().find(|gauge| gauge.name == "app.requests.in_flight").map_or(0, |it| it.value);
    // Its own question is one of them.
    format!("Serving {} clients, {} requests in work", clients.count(), in_work.saturating_sub(1))
}
