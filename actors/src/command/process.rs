//! A command's streams and its process: starts it, follows it to its end, and ends it.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
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
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::tcsetwinsize;
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

/// The connection to the launcher of a command. Dropping it ends the command.
#[derive(Clone)]
pub struct Controls {
    socket: Rc<UnixStream>,
    launcher: Rc<Option<OwnedFd>>,
    pid: Option<Pid>,
}

impl Controls {
    /// Sends an order to the supervisor. A few bytes always fit; if the supervisor is gone, there is nothing left to do.
    pub fn send(&self, control: Control) {
        if let Err(error) = self.socket.try_write(&[control.byte()]) {
            log::debug!("a command that was to end has ended already: {error}");
        }
    }

    /// Lets a launcher go on that somebody stopped.
    pub fn wake(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills all that the launcher has started.
    pub fn kill_below(&self) {
        // While the launcher is there, its number is nobody else's.
        if let Some(pid) = self.pid.filter(|_| self.signal(Signal::CONT)) {
            command_launcher::kill_below(pid);
        }
    }

    /// Kills the launcher.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) -> bool {
        self.launcher.as_ref().as_ref().is_some_and(|launcher| pidfd_send_signal(launcher, signal).is_ok())
    }
}

/// A command's streams: its own ends, and the server's.
pub struct Plumbing {
    pub theirs: [OwnedFd; 3],
    pub input: Option<Rc<Input>>,
    pub terminal: Option<Terminal>,
    pub outputs: Vec<(OutputStream, Source)>,
}

/// Makes the streams of a command that does not run yet. At most `stdin_bytes` wait for it to read them.
pub fn plumb(streams: Streams, stdin_bytes: usize) -> io::Result<Plumbing> {
    match streams {
        Streams::Pipes { stdin } => pipes(stdin, stdin_bytes),
        Streams::OnePipe => one_pipe(),
        Streams::Terminal(size) => terminal(size, stdin_bytes),
    }
}

/// Starts the launcher of `job`, which then starts the command itself.
pub fn launch(
    job: Job,
    launcher: &Launcher,
    streams: [OwnedFd; 3],
    terminal: bool,
) -> Result<(Child, Controls), LaunchError> {
    check_strings(&job)?;
    let Job { argv, cwd, cwd_is_real, env, bounds, confinement, .. } = job;
    let order = Order::Exec(Box::new(Exec { argv, cwd, cwd_is_real, env, terminal, bounds, confinement }));
    let (child, control) = start(launcher, &order, streams)?;
    let pid = child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
    let launcher = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    Ok((child, Controls { socket: Rc::new(control), launcher: Rc::new(launcher), pid }))
}

/// Waits until the command runs.
///
/// # Errors
/// Why it does not.
pub async fn started(controls: Controls) -> Result<(), LaunchError> {
    match report(&controls.socket).await? {
        Report::Started => Ok(()),
        Report::NotStarted(reason) => Err(LaunchError::NotStarted(reason)),
        Report::NotConfined(reason) => Err(LaunchError::NotConfined(reason)),
        Report::Gaps(_) => Err(LaunchError::Lost),
    }
}

/// Asks `launcher` which layers of the sandbox this machine lacks, one sentence each. `home` is `$CODEX_HOME`.
///
/// # Errors
/// Why nothing can be confined at all.
pub async fn probe(launcher: &Launcher, home: PathBuf) -> Result<Vec<String>, LaunchError> {
    let nowhere = || plain_file::open_null().map(OwnedFd::from);
    let (mut child, control) = start(launcher, &Order::Probe { home }, [nowhere()?, nowhere()?, nowhere()?])?;
    let report = report(&control).await?;
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
    let child = Command::from(command).spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), format!("{error}: /proc/self/exe; is /proc mounted?")),
        _ => error,
    })?;
    Ok((child, UnixStream::from_std(control)?))
}

async fn report(control: &UnixStream) -> io::Result<Report> {
    let mut bytes = [0; REPORT_BYTES];
    loop {
        control.readable().await?;
        match control.try_read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            length => return Report::read(&bytes[..length?]),
        }
    }
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

fn pipes(stdin: bool, stdin_bytes: usize) -> io::Result<Plumbing> {
    let (stdout, their_stdout) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stderr, their_stderr) = pipe_with(PipeFlags::CLOEXEC)?;
    let (their_stdin, input) = if stdin {
        let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC)?;
        (theirs, Some(Rc::new(Input::new(Sink::pipe(ours)?, stdin_bytes))))
    } else {
        (plain_file::open_null()?.into(), None)
    };
    let outputs = vec![(OutputStream::Stdout, Source::pipe(stdout)?), (OutputStream::Stderr, Source::pipe(stderr)?)];
    Ok(Plumbing { theirs: [their_stdin, their_stdout, their_stderr], input, terminal: None, outputs })
}

fn one_pipe() -> io::Result<Plumbing> {
    let (output, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
    let outputs = vec![(OutputStream::Stdout, Source::pipe(output)?)];
    let theirs = [plain_file::open_null()?.into(), theirs.try_clone()?, theirs];
    Ok(Plumbing { theirs, input: None, terminal: None, outputs })
}

fn terminal(size: TerminalSize, stdin_bytes: usize) -> io::Result<Plumbing> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let slave = ioctl_tiocgptpeer(&master, flags)?;
    tcsetwinsize(&master, winsize(size))?;
    fcntl_setfl(&master, fcntl_getfl(&master)? | OFlags::NONBLOCK)?;
    Ok(Plumbing {
        theirs: [slave.try_clone()?, slave.try_clone()?, slave],
        input: Some(Rc::new(Input::new(Sink::terminal(master.try_clone()?)?, stdin_bytes))),
        outputs: vec![(OutputStream::Stdout, Source::terminal(master.try_clone()?)?)],
        terminal: Some(Terminal::new(master)),
    })
}

/// Hands all output to `listener`, and returns the exit code when the command has ended and the last piece is taken; or
/// when it is `given_up`, because not even the kernel can end it.
pub async fn run(
    id: CommandId,
    mut child: Child,
    outputs: Vec<(OutputStream, Source)>,
    listener: Arc<Recipient<Output>>,
    given_up: CancellationToken,
) -> i32 {
    let ended = CancellationToken::new();
    let exit = async {
        let code = tokio::select! {
            status = child.wait() => status.ok().and_then(|status| status.code()),
            () = given_up.cancelled() => None,
        };
        ended.cancel();
        code.unwrap_or(KILLED)
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
