//! `relay status`, and the socket at which a running relay answers it.
//!
//! Only the relay itself knows who is connected, and a row that it had written before it was killed would be a lie; so it is
//! asked, at a socket that only its owner can open. It writes one line of JSON to whoever connects, and reads nothing.

use std::{
    collections::BTreeMap,
    error::Error,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process,
    sync::Arc,
    time::Duration,
};

use actix::Addr;
use actix_rt::task::JoinHandle;
use app_server_actors::{
    protocol::remote::Machine,
    relay::{AskOverview, MachineOverview, Overview, Relay},
    times,
};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    time::timeout,
};

use super::{folder::DIRECTORY, tls::Identity};
use crate::{
    attach::connect_unix,
    listen::{ControlSocket, SocketFile, UnixSocketError},
    output::print,
    terminal::{shown_in_one_line, shown_json},
};

/// The socket, in the directory of the relay.
const SOCKET: &str = "relay.sock";

/// Largest status that is read, in bytes: some ten thousand machines.
const LARGEST_STATUS: u64 = 4 * 1024 * 1024;

/// Groups of a fingerprint in one line.
const GROUPS: usize = 16;

/// No relay runs.
#[derive(Debug, thiserror::Error)]
#[error("no relay is running with this CODEX_HOME; start one with: codex-app-server relay")]
pub struct NotRunning;

/// What stays the same while a relay runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Version of the program.
    pub version: String,
    /// Its process.
    pub process_id: u32,
    /// Unix seconds.
    pub started_at: i64,
    /// Where it listens, with its real port.
    pub listen: String,
    /// How phones reach it.
    pub url: String,
    /// Its certificate, if it speaks TLS itself.
    pub tls: Option<Tls>,
    /// The digest of the page, as the page shows it.
    pub page: String,
}

/// A certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// SHA-256, in groups.
    pub fingerprint: String,
    /// Unix seconds.
    pub ends_at: i64,
}

/// What `relay status --json` prints.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    running: bool,
    #[serde(flatten)]
    facts: Facts,
    accounts: Vec<Account>,
    machines: Vec<Seen>,
    /// Devices that are paired with any machine.
    devices: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    name: String,
    tokens: i64,
    machines: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    account: String,
    name: String,
    machine: Machine,
    /// When it last asked for a token, in Unix seconds.
    last_seen_at: Option<i64>,
    /// Devices that may control it.
    devices: i64,
    /// Phones that are connected to it now.
    phones: usize,
}

impl Facts {
    /// Of this process.
    pub fn new(started_at: i64, listen: String, url: String, identity: Option<&Identity>, page: &str) -> Self {
        let tls = identity.map(|it| Tls { fingerprint: it.in_groups(GROUPS), ends_at: it.ends_at });
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { version, process_id: process::id(), started_at, listen, url, tls, page: page.to_owned() }
    }
}

impl From<MachineOverview> for Seen {
    fn from(MachineOverview { row, machine, phones }: MachineOverview) -> Self {
        let (account, name, last_seen_at, devices) = (row.account, row.name, row.last_seen_at, row.devices);
        Self { account, name, machine, last_seen_at, devices, phones }
    }
}

/// The socket of a running relay. Its file is removed when it is dropped.
pub struct StatusSocket {
    serving: JoinHandle<()>,
    _file: SocketFile,
}

impl Drop for StatusSocket {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Where the relay of `codex_home` can be asked.
fn place(codex_home: &Path) -> PathBuf {
    codex_home.join(DIRECTORY).join(SOCKET)
}

/// Binds the socket, so that no second relay uses the same state. Waits up to `wait` for a server that is starting.
///
/// # Errors
/// A relay runs already, or the socket cannot be bound.
pub async fn bind(codex_home: &Path, wait: Duration) -> Result<ControlSocket, UnixSocketError> {
    ControlSocket::bind(&place(codex_home), codex_home, wait).await
}

impl StatusSocket {
    /// Answers on a bound socket. One who does not read is given `patience`.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn serve(bound: ControlSocket, relay: Arc<Addr<Relay>>, facts: Facts, patience: Duration) -> io::Result<Self> {
        bound.listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(bound.listener)?;
        let serving = actix_rt::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(timeout(patience, answer(stream, &relay, &facts)).await),
                    Err(error) => {
                        log::warn!("the relay's socket for `relay status` fails: {error}");
                        tokio::time::sleep(patience).await;
                    }
                }
            }
        });
        Ok(Self { serving, _file: bound.file })
    }
}

async fn answer(mut stream: UnixStream, relay: &Addr<Relay>, facts: &Facts) {
    let Ok(Ok(Overview { accounts, machines, devices })) = relay.send(AskOverview).await else { return };
    let accounts = accounts.into_iter().map(|it| Account { name: it.name, tokens: it.tokens, machines: it.servers });
    let (accounts, machines) = (accounts.collect(), machines.into_iter().map(Seen::from).collect());
    let status = Status { running: true, facts: facts.clone(), accounts, machines, devices };
    let Ok(line) = serde_json::to_string(&status) else { return };
    // Whoever has gone is told nothing.
    let _ = stream.write_all((line + "\n").as_bytes()).await;
}

/// Prints the status of the relay of `codex_home`.
///
/// # Errors
/// [`NotRunning`]; it does not answer within `patience`; or stdout fails.
pub async fn show(codex_home: &Path, json: bool, patience: Duration) -> Result<(), Box<dyn Error>> {
    let stream = match connect_unix(&place(codex_home)).await {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            if json {
                print(b"{\"running\":false}\n")?;
            }
            return Err(NotRunning.into());
        }
        connected => connected?,
    };
    let mut line = String::new();
    let mut answer = stream.take(LARGEST_STATUS);
    timeout(patience, answer.read_to_string(&mut line)).await.map_err(|_| "the relay does not answer")??;
    let status: Status = serde_json::from_str(&line).map_err(|_| "the relay does not answer; its log says why")?;
    let text = if json { shown_json(&line).into_owned() } else { text(&status) };
    Ok(print(text.as_bytes())?)
}

fn text(status: &Status) -> String {
    let Status { facts, accounts, machines, devices, .. } = status;
    let time = |seconds: i64| times::show(seconds.saturating_mul(1000));
    let row = |name: &str, value: String| format!("{name:<10} {value}\n");
    let mut text = row("Relay:", format!("running since {} (process {})", time(facts.started_at), facts.process_id));
    text += &row("Listens:", facts.listen.clone());
    text += &row("Phones:", format!("{}/ (digest of the page: {})", facts.url, facts.page));
    text += &row(
        "TLS:",
        match &facts.tls {
            Some(tls) => format!("certificate until {}\n           {}", time(tls.ends_at), tls.fingerprint),
            None if facts.url.starts_with("https:") => "by the proxy in front of it".to_owned(),
            None => "none".to_owned(),
        },
    );
    let names = accounts.iter().map(|it| shown_in_one_line(&it.name)).collect::<Vec<_>>().join(", ");
    text += &row("Accounts:", if names.is_empty() { "none".to_owned() } else { names });
    text += &row("Devices:", devices.to_string());
    text += &row("Machines:", if machines.is_empty() { "none".to_owned() } else { machines.len().to_string() });
    let mut by_account: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    for it in machines {
        by_account.entry(&it.account).or_default().push(it);
    }
    for it in by_account.values().flatten() {
        let state = match (it.machine, it.last_seen_at) {
            (Machine::Connected, _) => format!("connected, {} of {} devices here", it.phones, it.devices),
            (Machine::Asleep { since: Some(since) }, _) => {
                format!("asleep since {}, {} devices", time(since), it.devices)
            }
            (Machine::Asleep { since: None }, Some(seen)) => {
                format!("asleep, last seen {}, {} devices", time(seen), it.devices)
            }
            (Machine::Asleep { since: None }, None) => format!("asleep, {} devices", it.devices),
        };
        text += &format!("  {} ({}): {state}\n", shown_in_one_line(&it.name), shown_in_one_line(&it.account));
    }
    text
}
