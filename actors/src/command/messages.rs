//! What a command is told, and what it reports.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use bytes::Bytes;
use command_launcher::Confinement;
use tokio::sync::oneshot;

/// Names a command for the life of the process; never reused. Whoever starts a command chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommandId(pub u64);

/// What to run.
#[derive(Debug)]
pub struct Job {
    /// The program and its arguments; never empty.
    pub argv: Vec<OsString>,
    /// The working directory; absolute.
    pub cwd: PathBuf,
    /// The whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// What it reads from and writes to.
    pub streams: Streams,
    /// `None` gives it all rights of the server's user.
    pub confinement: Option<Confinement>,
    /// How long it may run; `None` is for ever.
    pub timeout: Option<Duration>,
}

/// What a command reads from and writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Standard output and standard error are told apart.
    Pipes {
        /// It reads what it is sent by [`Write`]; nothing otherwise.
        stdin: bool,
    },
    /// One terminal for everything.
    Terminal(TerminalSize),
}

/// The size of a terminal in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    /// Its height; at least 1.
    pub rows: u16,
    /// Its width; at least 1.
    pub cols: u16,
}

/// To whom a command reports.
#[derive(Clone)]
pub struct Listener {
    /// Told every piece of output.
    pub output: Arc<Recipient<Output>>,
    /// Told the end, once, after the last piece of output.
    pub ended: Arc<Recipient<Ended>>,
}

/// Where output comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output, and everything that comes from a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A piece of output. The command reads no more from this stream until the answer comes: the listener answers when it
/// wants more. Mailbox full: the command waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Output {
    /// Of which command.
    pub command: CommandId,
    /// From where.
    pub stream: OutputStream,
    /// Never empty; cut anywhere.
    pub bytes: Bytes,
}

/// Nothing is left of a command. Nothing comes back. Mailbox full: the command waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Ended {
    /// Which one.
    pub command: CommandId,
    /// How it ended, or why it never began.
    pub exit: Result<Exit, LaunchError>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code, or 128 and the number of the signal that ended it.
    pub code: i32,
    /// It was ended because its time was over.
    pub timed_out: bool,
}

/// Why a command did not begin.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The program, or its working directory, cannot be used. The text is the operating system's.
    #[error("failed to spawn command: {0}")]
    NotStarted(String),
    /// It was to be confined, which this machine cannot do; nothing was run.
    #[error("the command was not run, because it cannot be confined as asked: {0}")]
    NotConfined(String),
    /// The server has no room for it.
    #[error("failed to spawn command: {0}")]
    System(#[from] io::Error),
    /// The server lost track of it, and ended it.
    #[error("the server failed while it ran this command")]
    Lost,
}

/// Bytes for a command's standard input. Mailbox full: the sender is refused.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Write {
    /// What to write; may be empty.
    pub bytes: Vec<u8>,
    /// Nothing comes behind it.
    pub close: bool,
    /// Told when the bytes wait in line.
    pub done: oneshot::Sender<Result<(), InputRefused>>,
}

/// Why input was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputRefused {
    /// It was closed, or the command reads no more.
    Closed,
    /// Too much waits for the command to read.
    Full,
}

/// Another size for a command's terminal. Mailbox full: the sender is refused.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Resize {
    /// From now on.
    pub size: TerminalSize,
    /// Told when it is done.
    pub done: oneshot::Sender<io::Result<()>>,
}

/// Ends a command and everything it started. Nothing comes back but, in time, [`Ended`]. Mailbox full: the sender is
/// refused.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Terminate;
