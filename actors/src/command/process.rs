//! Starts a command's process and follows it to its end.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use bytes::BytesMut;
use command_launcher::control::REPORT_BYTES;
use command_launcher::{Control, Exec, Launcher, Order, Prepared, Report};
use futures_util::future::join_all;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::tcsetwinsize;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::io::{Input, Sink, Source, Terminal, winsize};
use super::messages::{CommandId, Job, LaunchError, Output, OutputStream, Streams, TerminalSize};

/// Size of one read in bytes: the capacity of a pipe.
const PIECE_BYTES: usize = 64 * 1024;

/// How long to wait for more output after the command has ended. Another process may hold the other end of the pipe
/// open, and it is not ours to end.
const SILENCE: Duration = Duration::from_secs(2);

/// Exit code of a command whose launcher was killed.
const KILLED: i32 = 137;

/// A running process.
pub struct Process {
    pub controls: Controls,
    pub input: Option<Rc<Input>>,
    pub terminal: Option<Terminal>,
    pub outputs: Vec<(OutputStream, Source)>,
    pub child: Child,
}

/// The connection to the supervisor. Dropping it ends the command.
pub struct Controls(UnixStream);

impl Controls {
    /// Sends an order to the supervisor. Two bytes always fit; if the supervisor is gone, there is nothing left to do.
    pub fn send(&self, control: Control) {
        if let Err(error) = self.0.try_write(&[control.byte()]) {
            log::debug!("a command that was to end has ended already: {error}");
        }
    }
}

/// The command's ends of its streams, and the server's.
struct Plumbing {
    theirs: [OwnedFd; 3],
    sink: Option<Sink>,
    terminal: Option<Terminal>,
    outputs: Vec<(OutputStream, Source)>,
}

/// Starts `job` with `launcher`. Returns when the command is running.
pub async fn launch(job: Job, launcher: &Launcher, stdin_bytes: usize) -> Result<Process, LaunchError> {
    check_strings(&job)?;
    let Plumbing { theirs, sink, terminal, outputs } = match job.streams {
        Streams::Pipes { stdin } => pipes(stdin)?,
        Streams::Terminal(size) => terminal(size)?,
    };
    let Job { argv, cwd, env, confinement, .. } = job;
    let order = Order::Exec(Exec { argv, cwd, env, terminal: terminal.is_some(), confinement });
    let (child, mut control) = start(launcher, &order, theirs)?;
    match report(&mut control).await? {
        Report::Started => {}
        Report::NotStarted(reason) => return Err(LaunchError::NotStarted(reason)),
        Report::NotConfined(reason) => return Err(LaunchError::NotConfined(reason)),
        Report::Gaps(_) => return Err(LaunchError::Lost),
    }
    let input = sink.map(|sink| Rc::new(Input::new(sink, stdin_bytes)));
    Ok(Process { controls: Controls(control), input, terminal, outputs, child })
}

/// Asks `launcher` which layers of the sandbox are missing on this machine. Returns one sentence for each.
///
/// # Errors
/// Why commands cannot be confined at all.
pub async fn probe(launcher: &Launcher) -> Result<Vec<String>, LaunchError> {
    let nowhere = || plain_file::open_null().map(OwnedFd::from);
    let (mut child, mut control) = start(launcher, &Order::Probe, [nowhere()?, nowhere()?, nowhere()?])?;
    let report = report(&mut control).await?;
    child.wait().await?;
    match report {
        Report::Gaps(gaps) => Ok(gaps),
        Report::NotConfined(reason) | Report::NotStarted(reason) => Err(LaunchError::NotConfined(reason)),
        Report::Started => Err(LaunchError::Lost),
    }
}

fn start(launcher: &Launcher, order: &Order, streams: [OwnedFd; 3]) -> io::Result<(Child, UnixStream)> {
    let Prepared { command, control } = launcher.prepare(order, streams.each_ref())?;
    control.set_nonblocking(true)?;
    Ok((Command::from(command).spawn()?, UnixStream::from_std(control)?))
}

async fn report(control: &mut UnixStream) -> io::Result<Report> {
    let mut bytes = [0; REPORT_BYTES];
    let length = control.read(&mut bytes).await?;
    Report::read(&bytes[..length])
}

/// Strings of the operating system end at the first NUL byte. The text is the reference program's.
fn check_strings(job: &Job) -> Result<(), LaunchError> {
    let has_zero = |text: &OsStr| text.as_bytes().contains(&0);
    let in_env = job.env.iter().any(|(name, value)| has_zero(name) || has_zero(value));
    if in_env || has_zero(job.cwd.as_os_str()) || job.argv.iter().any(|argument| has_zero(argument)) {
        return Err(LaunchError::NotStarted("nul byte found in provided data".to_owned()));
    }
    Ok(())
}

fn pipes(stdin: bool) -> io::Result<Plumbing> {
    let (stdout, their_stdout) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stderr, their_stderr) = pipe_with(PipeFlags::CLOEXEC)?;
    let (their_stdin, sink) = if stdin {
        let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC)?;
        (theirs, Some(Sink::pipe(ours)?))
    } else {
        (plain_file::open_null()?.into(), None)
    };
    let outputs = vec![(OutputStream::Stdout, Source::pipe(stdout)?), (OutputStream::Stderr, Source::pipe(stderr)?)];
    Ok(Plumbing { theirs: [their_stdin, their_stdout, their_stderr], sink, terminal: None, outputs })
}

fn terminal(size: TerminalSize) -> io::Result<Plumbing> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let slave = ioctl_tiocgptpeer(&master, flags)?;
    tcsetwinsize(&master, winsize(size))?;
    fcntl_setfl(&master, fcntl_getfl(&master)? | OFlags::NONBLOCK)?;
    Ok(Plumbing {
        theirs: [slave.try_clone()?, slave.try_clone()?, slave],
        sink: Some(Sink::terminal(master.try_clone()?)?),
        outputs: vec![(OutputStream::Stdout, Source::terminal(master.try_clone()?)?)],
        terminal: Some(Terminal::new(master)),
    })
}

/// Hands all output to `listener`. Returns the exit code when the command has ended and its last output was accepted.
pub async fn run(
    id: CommandId,
    mut child: Child,
    outputs: Vec<(OutputStream, Source)>,
    listener: Arc<Recipient<Output>>,
) -> i32 {
    let ended = CancellationToken::new();
    let exit = async {
        let status = child.wait().await;
        ended.cancel();
        status.ok().and_then(|status| status.code()).unwrap_or(KILLED)
    };
    let pumps = outputs.into_iter().map(|(stream, source)| pump(id, stream, source, &listener, &ended));
    futures_util::future::join(exit, join_all(pumps)).await.0
}

/// Hands over one stream until its end.
async fn pump(
    command: CommandId,
    stream: OutputStream,
    mut source: Source,
    listener: &Recipient<Output>,
    ended: &CancellationToken,
) {
    let mut buffer = BytesMut::zeroed(PIECE_BYTES);
    loop {
        let read = tokio::select! {
            read = source.read(&mut buffer) => read,
            () = silent_after(ended) => return,
        };
        match read {
            Ok(0) => return,
            Ok(length) => {
                let bytes = bytes::Bytes::copy_from_slice(&buffer[..length]);
                if listener.send(Output { command, stream, bytes }).await.is_err() {
                    return;
                }
            }
            Err(error) => return log::warn!("cannot read the output of a command: {error}"),
        }
    }
}

async fn silent_after(ended: &CancellationToken) {
    ended.cancelled().await;
    tokio::time::sleep(SILENCE).await;
}
