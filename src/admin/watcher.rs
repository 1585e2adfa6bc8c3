//! Looks at the server for the page. What only the protocol tells it asks as a client of this process, with one connection,
//! opened when somebody looks for the first time.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use app_server_actors::{
    clock::Clock,
    protocol::{
        calls,
        initialize::Capabilities,
        notification::ServerNotification,
        remote::{RemoteControlClientsListParams, RemoteControlClientsRevokeParams},
        thread::{Thread, ThreadActiveFlag, ThreadListParams, ThreadLoadedListParams, ThreadSourceKind, ThreadStatus},
        turn::TurnInterruptParams,
    },
    start::Actors,
};
use tokio::{sync::Mutex as AsyncMutex, time::timeout};

use super::view::{Gauges, Phone, Remote, ThreadRow, Totals, VERSION, View};
use crate::{
    attach::{Client, ClientError},
    http::Site,
    logging,
};

/// Name of the client.
const NAME: &str = "codex-app-server-admin";

/// Buffer of the connection, in bytes.
const PIPE_BYTES: usize = 64 * 1024;

/// Connections and threads that the page shows at most.
const MOST_ROWS: usize = 100;

/// How long a call may take; the page asks again soon.
const PATIENCE: Duration = Duration::from_secs(5);

/// For how long the backend's list of phones is good.
const PHONES_LAST: Duration = Duration::from_secs(60);

/// See the module's documentation.
pub struct Watcher {
    actors: Actors,
    clock: Clock,
    client: AsyncMutex<Option<Client>>,
    /// The phones, and when they were asked for.
    phones: Mutex<Option<(Instant, Vec<Phone>)>>,
}

impl Watcher {
    /// Looks at the server of `actors`.
    pub fn new(actors: &Actors) -> Self {
        Self { actors: actors.clone(), clock: Clock::system(), client: AsyncMutex::default(), phones: Mutex::default() }
    }

    /// What the page shows now.
    pub async fn look(&self, site: &Site, may_change: bool) -> View {
        let (state, mut connections, threads) =
            tokio::join!(self.actors.measure(), self.actors.connections(), self.threads());
        connections.truncate(MOST_ROWS);
        let metrics = self.actors.hub().metrics();
        let remote = match state.remote_control.clone() {
            Some(remote) => {
                let phones = if remote.status == "disabled" { Vec::new() } else { self.phones().await };
                let (status, last_error, server_name) = (remote.status, remote.last_error, remote.server_name);
                Some(Remote { status, last_error, server_name, phones })
            }
            None => None,
        };
        View {
            version: VERSION,
            now_ms: self.clock.unix_ms(),
            started_ms: metrics.started_ms,
            ready: site.actors().is_ready(),
            may_change,
            silent: state.round_trips.iter().filter(|(_, took)| took.is_none()).map(|(actor, _)| *actor).collect(),
            gauges: Gauges::of(&state),
            totals: Totals::of(metrics, &state),
            connections,
            threads,
            remote,
            log: logging::recent(),
        }
    }

    /// Interrupts the turn of a thread; whether there was one.
    pub async fn interrupt(&self, thread: &str) -> bool {
        let params = TurnInterruptParams { thread_id: thread.to_owned(), turn_id: String::new() };
        let interrupted = self.ask(async |client| client.call(&calls::TURN_INTERRUPT, &params).await);
        done(interrupted.await)
    }

    /// Revokes a phone; whether the backend did.
    pub async fn revoke(&self, phone: &str) -> bool {
        let revoked = self.ask(async |client| {
            let status = client.call(&calls::REMOTE_CONTROL_STATUS_READ, &()).await?;
            let environment_id = status.state.environment_id.unwrap_or_default();
            let params = RemoteControlClientsRevokeParams { environment_id, client_id: phone.to_owned() };
            client.call(&calls::REMOTE_CONTROL_CLIENT_REVOKE, &params).await
        });
        let done = done(revoked.await);
        *self.known_phones() = None;
        done
    }

    /// The loaded threads; none where that takes too long.
    async fn threads(&self) -> Vec<ThreadRow> {
        let asked = self.ask(async |client| {
            let loaded = client.call(&calls::THREAD_LOADED_LIST, &ThreadLoadedListParams::default()).await?.data;
            if loaded.is_empty() {
                return Ok(Vec::new());
            }
            let params = ThreadListParams {
                included_thread_ids: Some(loaded.iter().take(MOST_ROWS).map(ToString::to_string).collect()),
                source_kinds: Some(ThreadSourceKind::ALL.to_vec()),
                limit: u32::try_from(MOST_ROWS).ok(),
                ..ThreadListParams::default()
            };
            client.call(&calls::THREAD_LIST, &params).await.map(|page| page.data)
        });
        let threads = asked.await.inspect_err(|error| log::debug!("the threads are not shown: {error}"));
        threads.unwrap_or_default().into_iter().map(ThreadRow::of).collect()
    }

    /// The phones as the backend told them, at most a minute ago.
    async fn phones(&self) -> Vec<Phone> {
        if let Some((at, phones)) = &*self.known_phones()
            && at.elapsed() < PHONES_LAST
        {
            return phones.clone();
        }
        let asked = self.ask(async |client| {
            let status = client.call(&calls::REMOTE_CONTROL_STATUS_READ, &()).await?;
            let Some(environment_id) = status.state.environment_id else { return Ok(Vec::new()) };
            let params = RemoteControlClientsListParams { environment_id, cursor: None, limit: Some(100), order: None };
            client.call(&calls::REMOTE_CONTROL_CLIENT_LIST, &params).await.map(|page| page.data)
        });
        let phones = asked.await.inspect_err(|error| log::debug!("the phones are not shown: {error}"));
        let phones = phones.unwrap_or_default().into_iter().map(|phone| Phone {
            name: phone.display_name.unwrap_or_else(|| phone.client_id.clone()),
            kind: [phone.device_type, phone.device_model, phone.platform]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", "),
            id: phone.client_id,
            last_seen_at: phone.last_seen_at,
        });
        let phones: Vec<Phone> = phones.collect();
        *self.known_phones() = Some((Instant::now(), phones.clone()));
        phones
    }

    fn known_phones(&self) -> MutexGuard<'_, Option<(Instant, Vec<Phone>)>> {
        self.phones.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks over the one connection, one after the other. Where that fails or takes too long, the next one who asks gets a
    /// new connection.
    async fn ask<T>(&self, ask: impl AsyncFnOnce(&mut Client) -> Result<T, ClientError>) -> Result<T, ClientError> {
        let mut kept = self.client.lock().await;
        let asked = async {
            let mut client = match kept.take() {
                Some(client) => client,
                None => Client::over(self.actors.open(PIPE_BYTES), NAME, deaf()).await?.0,
            };
            let answer = ask(&mut client).await;
            // A refusal is an answer, too.
            if matches!(answer, Ok(_) | Err(ClientError::Refused(_))) {
                *kept = Some(client);
            }
            answer
        };
        timeout(PATIENCE, asked).await.unwrap_or(Err(ClientError::Gone))
    }
}

/// The page hears of nothing by itself: it asks.
fn deaf() -> Capabilities {
    let all = ServerNotification::TABLE.iter().map(|row| row.name.to_owned()).collect();
    Capabilities { experimental_api: true, opt_out_notification_methods: Some(all) }
}

fn done<T>(outcome: Result<T, ClientError>) -> bool {
    outcome.inspect_err(|error| log::warn!("what an operator wanted could not be done: {error}")).is_ok()
}

impl ThreadRow {
    fn of(thread: Thread) -> Self {
        let status = match &thread.status {
            ThreadStatus::NotLoaded | ThreadStatus::Idle => "idle",
            ThreadStatus::SystemError => "failed",
            ThreadStatus::Active { active_flags } => match active_flags.first() {
                Some(ThreadActiveFlag::WaitingOnApproval) => "approval",
                Some(ThreadActiveFlag::WaitingOnUserInput) => "input",
                None => "running",
            },
        };
        let name = thread.name.filter(|name| !name.is_empty()).unwrap_or(thread.preview);
        let name = name.chars().take(200).collect();
        Self { id: thread.id.to_string(), name, status, cwd: thread.cwd, updated_at: thread.updated_at }
    }
}
