//! A server that is a program of this machine: its process, and the way to it over standard input and output.
//!
//! It runs as commands do, below the launcher, so that nothing of it is left behind; but nothing confines it, because the
//! user has named it, and it inherits only what [`environment`] lists.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use actix::prelude::*;
use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::config::{ServerConfig, Variable};
use super::incoming::Lines;
use crate::command::{
    CommandId, Ended, EnvironmentPolicy, Feed, Listener, NotRun, Output, OutputStream, Rules, Run, Runner, Streams,
    Terminate, Write,
};
use crate::context::Context;
use crate::mailbox::start;
use crate::protocol::settings::SandboxPolicy;

/// Messages of the server that wait to be read, and messages that wait for the server.
const WAITING_MESSAGES: usize = 16;

/// Messages that the reader may have waiting: a piece of each stream, and the end.
const PIECES: usize = 3;

/// Bytes of the end of the server's standard error that are kept, to say why it ended.
const LAST_WORDS: usize = 2048;

/// What every program may know of its surroundings. Nothing else of our own environment is inherited; not even proxies,
/// whose addresses may hold passwords.
const INHERITED: [&str; 19] = [
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "NODE_EXTRA_CA_CERTS",
    "PATH",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "SHELL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_RUNTIME_DIR",
];

/// How the process of a server is, for whoever wants to know why it does not answer.
#[derive(Clone, Default)]
pub(super) struct Process {
    ended: CancellationToken,
    words: Arc<Mutex<Words>>,
}

#[derive(Default)]
struct Words {
    /// The last that it wrote to standard error.
    stderr: Vec<u8>,
    /// Why it ended, or is not listened to any more.
    end: Option<String>,
}

impl Process {
    /// Nothing of it is left.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Why it ended, if it has, with the last that it said of errors.
    pub(super) fn end(&self) -> Option<String> {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let end = words.end.clone()?;
        let stderr = String::from_utf8_lossy(&words.stderr);
        let last = stderr.lines().rev().map(str::trim).find(|line| !line.is_empty());
        Some(last.map_or_else(|| end.clone(), |line| format!("{end}; its last words were: {line}")))
    }

    fn say(&self, end: String) {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).end.get_or_insert(end);
    }
}

/// Starts a program on the calling arbiter. It ends when the transport is dropped. `life` resolves when nothing of it is
/// left, and must be polled; it holds `place` until then.
///
/// # Errors
/// Nothing was started.
pub(super) fn start_program(
    runner: &Runner,
    config: &ServerConfig,
    program: &str,
    workspace: &Path,
    place: OwnedSemaphorePermit,
) -> Result<(ProgramTransport, Process, impl Future<Output = ()> + use<>), NotRun> {
    let process = Process::default();
    let (messages, incoming) = mpsc::channel(WAITING_MESSAGES);
    let (outgoing, lines) = mpsc::channel(WAITING_MESSAGES);
    let reader = start(PIECES, Reader { lines: Lines::default(), messages: Some(messages), process: process.clone() });
    let listener = Listener {
        output: Arc::new(Addr::clone(&reader).recipient()),
        ended: Arc::new(Addr::clone(&reader).recipient()),
    };
    let arguments = config.args.iter().map(|argument| argument.expose().into());
    let cwd: PathBuf = config.cwd.as_ref().map_or_else(|| workspace.to_owned(), |cwd| workspace.join(cwd));
    let run = Run {
        argv: std::iter::once(program.into()).chain(arguments).collect(),
        cwd,
        cwd_is_real: false,
        workspace: workspace.to_owned(),
        rules: Rules {
            sandbox: SandboxPolicy::DangerFullAccess,
            environment: inherited(&config.env_vars),
            projects: Vec::new(),
        },
        environment: Some(own(&config.env)),
        with_programs: false,
        timeout: None,
    };
    let command = runner.run(CommandId(0), run, Streams::Pipes { stdin: true }, listener)?;
    let (ended, unwanted) = (process.ended.clone(), CancellationToken::new());
    let transport = ProgramTransport { incoming, outgoing, _unwanted: unwanted.clone().drop_guard() };
    let life = async move {
        feed(&command, lines, &ended, &unwanted).await;
        // An error means that it has ended.
        let (done, _) = tokio::sync::oneshot::channel();
        let _ = command.send(Write { bytes: Vec::new(), close: true, done }).await;
        let _ = command.send(Terminate).await;
        ended.cancelled().await;
        drop((place, reader));
    };
    Ok((transport, process, life))
}

/// Hands the lines to the program, until there are no more or it has ended.
async fn feed(
    command: &Addr<crate::command::Command>,
    mut lines: mpsc::Receiver<Vec<u8>>,
    ended: &CancellationToken,
    unwanted: &CancellationToken,
) {
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            () = ended.cancelled() => return,
        };
        let Some(line) = line else { return };
        let fed = tokio::select! {
            fed = command.send(Feed(line)) => matches!(fed, Ok(Ok(()))),
            () = unwanted.cancelled() => false,
        };
        if !fed {
            return;
        }
    }
}

/// What a server inherits.
fn inherited(named: &[Variable]) -> EnvironmentPolicy {
    // A name is meant as it stands, not as a pattern.
    let named = named.iter().map(Variable::name).filter(|name| !name.is_empty() && !name.contains(['*', '?']));
    let include_only = INHERITED.into_iter().chain(named).map(str::to_owned).collect();
    EnvironmentPolicy { include_only, ..EnvironmentPolicy::default() }
}

fn own(env: &BTreeMap<String, crate::protocol::Secret>) -> BTreeMap<String, Option<String>> {
    env.iter().map(|(name, value)| (name.clone(), Some(value.expose().to_owned()))).collect()
}

/// The way to a program.
pub(super) struct ProgramTransport {
    incoming: mpsc::Receiver<ServerJsonRpcMessage>,
    outgoing: mpsc::Sender<Vec<u8>>,
    /// Tells the program to end.
    _unwanted: DropGuard,
}

/// Why a message did not reach a program.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undelivered {
    #[error("it has ended")]
    Ended,
    #[error("the message cannot be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl Transport<RoleClient> for ProgramTransport {
    type Error = Undelivered;

    fn name() -> Cow<'static, str> {
        "program".into()
    }

    fn send(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let outgoing = self.outgoing.clone();
        async move {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            outgoing.send(line).await.map_err(|_| Undelivered::Ended)
        }
    }

    fn receive(&mut self) -> impl Future<Output = Option<ServerJsonRpcMessage>> + Send {
        self.incoming.recv()
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.incoming.close();
        Ok(())
    }
}

/// Reads what a program writes. It ends with the program.
struct Reader {
    lines: Lines,
    /// `None` when it is not listened to any more.
    messages: Option<mpsc::Sender<ServerJsonRpcMessage>>,
    process: Process,
}

impl Actor for Reader {
    type Context = Context<Self>;
}

impl Handler<Output> for Reader {
    type Result = ResponseFuture<()>;

    /// The program writes on when its messages are taken, so one that floods is slowed.
    fn handle(&mut self, Output { stream, bytes, .. }: Output, _: &mut Self::Context) -> Self::Result {
        if stream == OutputStream::Stderr {
            let mut words = self.process.words.lock().unwrap_or_else(PoisonError::into_inner);
            words.stderr.extend_from_slice(&bytes);
            let surplus = words.stderr.len().saturating_sub(LAST_WORDS);
            words.stderr.drain(..surplus);
            return Box::pin(std::future::ready(()));
        }
        let Some(messages) = self.messages.clone() else { return Box::pin(std::future::ready(())) };
        let read = self.lines.push(&bytes).unwrap_or_else(|misbehaviour| {
            self.process.say(format!("it {misbehaviour}"));
            self.messages = None;
            Vec::new()
        });
        Box::pin(async move {
            for message in read {
                // An error means that nobody listens any more.
                let _ = messages.send(message).await;
            }
        })
    }
}

impl Handler<Ended> for Reader {
    type Result = ();

    fn handle(&mut self, Ended { exit, .. }: Ended, ctx: &mut Self::Context) {
        self.process.say(match exit {
            Ok(exit) => format!("it ended with exit code {}", exit.code),
            Err(error) => format!("it could not be started: {error}"),
        });
        self.messages = None;
        self.process.ended.cancel();
        ctx.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_inherits_what_is_listed_and_what_its_configuration_adds() {
        let named = [Variable::Name("MINE".to_owned()), Variable::Name("*".to_owned())];
        let all = ["PATH", "MINE", "OPENAI_API_KEY", "MINE_TOO"].map(|name| (name.into(), "1".into()));
        let env = BTreeMap::from([("SET".to_owned(), "2".into())]);
        let environment = inherited(&named).environment(&all, Some(&own(&env)), true);
        let names: Vec<_> = environment.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
        assert_eq!(names, ["MINE", "PATH", "SET"]);
    }
}
