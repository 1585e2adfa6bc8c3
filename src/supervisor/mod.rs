//! What the server tells the supervisor that has started it: the protocol of systemd (`NOTIFY_SOCKET`), which others speak,
//! too. Without a supervisor that listens, nothing is said.

mod pulse;

use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread,
    time::Duration,
};

use sd_notify::NotifyState;

pub use pulse::Pulse;

/// By how much an end that goes on asks for more time at once, and how often it asks.
const MORE_TIME: Duration = Duration::from_secs(15);
const ASK_EVERY: Duration = Duration::from_secs(5);

const FINISHING: &str = "Finishing running work";

/// What waits for a supervisor that is slow to listen. More is dropped: what comes later says more.
const WAITING: usize = 16;

/// How long the last word may take.
const LAST_WORD: Duration = Duration::from_secs(1);

/// The supervisor of this process.
pub struct Supervisor {
    /// To the thread that tells it: its socket blocks while nobody reads it. `None` where nobody listens.
    teller: Option<SyncSender<Told>>,
    /// How long it waits for a sign of life.
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment speaks of.
    pub fn of_environment() -> Self {
        let listens = std::env::var_os("NOTIFY_SOCKET").is_some_and(|socket| !socket.is_empty());
        let (teller, told) = mpsc::sync_channel(WAITING);
        let started = listens && thread::Builder::new().name("supervisor".to_owned()).spawn(|| tell(told)).is_ok();
        let watchdog = sd_notify::watchdog_enabled().filter(|_| listens);
        Self { teller: Some(teller).filter(|_| started), watchdog }
    }

    /// Whether anybody listens.
    pub fn listens(&self) -> bool {
        self.teller.is_some()
    }

    /// How long it waits for a sign of life before it ends the process; `None` for ever.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Clients are served.
    pub fn ready(&self) {
        self.say(&[NotifyState::Ready]);
    }

    /// The settings are read again, until [`Self::ready`].
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.say(&[NotifyState::Reloading, now]),
            Err(error) => log::warn!("the supervisor is not told of the reload: {error}"),
        }
    }

    /// The server works, in a few words for people.
    pub fn alive(&self, status: &str) {
        let status = NotifyState::Status(status);
        match self.watchdog {
            Some(_) => self.say(&[NotifyState::Watchdog, status]),
            None => self.say(&[status]),
        }
    }

    /// The server ends. Asks for more time as long as the future runs, which never ends by itself.
    pub async fn stopping(&self) {
        self.say(&[NotifyState::Stopping, NotifyState::Status(FINISHING)]);
        let microseconds = u32::try_from(MORE_TIME.as_micros()).unwrap_or(u32::MAX);
        self.again_and_again(&[NotifyState::ExtendTimeoutUsec(microseconds)], ASK_EVERY).await;
    }

    /// The server ends, and the next one waits for that. Its end has a time limit of its own, so the supervisor need not
    /// watch it. Never ends by itself.
    pub async fn handing_over(&self) {
        self.say(&[NotifyState::Status(FINISHING)]);
        self.again_and_again(&[NotifyState::Watchdog], self.watchdog.map_or(ASK_EVERY, |patience| patience / 2)).await;
    }

    async fn again_and_again(&self, state: &[NotifyState<'_>], every: Duration) {
        if !self.listens() {
            return std::future::pending().await;
        }
        loop {
            self.say(state);
            tokio::time::sleep(every).await;
        }
    }

    /// From now on the process `id` is the server. Returns when that was told, or after [`LAST_WORD`].
    pub fn handed_over_to(&self, id: u32) {
        let Some(teller) = &self.teller else { return };
        let (done, told) = mpsc::sync_channel(1);
        let sent = teller.try_send(Told { text: NotifyState::MainPid(id).to_string(), done: Some(done) });
        if sent.is_err() || told.recv_timeout(LAST_WORD) == Err(RecvTimeoutError::Timeout) {
            log::warn!(
                "the supervisor (NOTIFY_SOCKET) does not listen: it was not told that process {id} is the server now"
            );
        }
    }

    fn say(&self, state: &[NotifyState<'_>]) {
        let Some(teller) = &self.teller else { return };
        let lines: Vec<String> = state.iter().map(ToString::to_string).collect();
        if teller.try_send(Told { text: lines.join("\n"), done: None }).is_err() {
            log::warn!("the supervisor (NOTIFY_SOCKET) does not listen");
        }
    }
}

/// Something for the supervisor.
struct Told {
    text: String,
    /// Told afterwards.
    done: Option<SyncSender<()>>,
}

fn tell(told: Receiver<Told>) {
    for Told { text, done } in told {
        if let Err(error) = sd_notify::notify(&[NotifyState::Custom(&text)]) {
            log::warn!("the supervisor (NOTIFY_SOCKET) cannot be told {text}: {error}");
        }
        if let Some(done) = done {
            // Nobody waits for ever.
            let _ = done.try_send(());
        }
    }
}
