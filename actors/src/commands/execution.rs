//! A `command/exec` in progress.

use std::sync::Arc;

use actix::prelude::*;
use bytes::Bytes;

use crate::command::{Command, Exit, LaunchError, OutputStream, Terminate};
use crate::connection::ConnectionId;
use crate::limits::Limits;
use crate::protocol::command::{CommandExecParams, CommandExecResponse};
use crate::protocol::{ErrorCode, RpcError};
use crate::reply::Reply;
use crate::router::Outcome;

/// Exit code of a command after a timeout, as of `timeout(1)`.
const TIMED_OUT: i32 = 124;

/// A command, its client, and its output so far.
pub struct Execution {
    reply: Reply,
    command: Arc<Addr<Command>>,
    process_id: Option<String>,
    terminal: bool,
    input: bool,
    /// Whether output is streamed.
    streaming: bool,
    stdout: Captured,
    stderr: Captured,
    /// The output exceeds what the server keeps for a result.
    overflow: Option<usize>,
    abandoned: bool,
}

/// A piece of output to send now.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// The receiver.
    pub connection: ConnectionId,
    /// The client's name for the command.
    pub process_id: String,
    /// The output.
    pub bytes: Bytes,
    /// Whether no more output of this stream follows.
    pub cap_reached: bool,
}

impl Execution {
    /// Creates the execution of `command` for the request behind `reply`.
    pub fn new(params: &CommandExecParams, reply: Reply, command: Arc<Addr<Command>>, limits: &Limits) -> Self {
        let cap = match params.output_bytes_cap {
            _ if params.disable_output_cap => None,
            Some(cap) => Some(usize::try_from(cap).unwrap_or(usize::MAX)),
            None => Some(limits.command_output_bytes),
        };
        Self {
            reply,
            command,
            process_id: params.process_id.clone(),
            terminal: params.tty,
            input: params.tty || params.stream_stdin,
            streaming: params.tty || params.stream_stdout_stderr,
            stdout: Captured::new(cap, limits.command_kept_bytes),
            stderr: Captured::new(cap, limits.command_kept_bytes),
            overflow: None,
            abandoned: false,
        }
    }

    /// The connection that sent the request.
    pub fn connection(&self) -> ConnectionId {
        self.reply.connection()
    }

    /// The client's name for the command.
    pub fn process_id(&self) -> Option<&str> {
        self.process_id.as_deref()
    }

    /// The command.
    pub fn command(&self) -> &Addr<Command> {
        &self.command
    }

    /// Whether the client may write to its input.
    pub fn takes_input(&self) -> bool {
        self.input
    }

    /// Whether the command runs on a terminal.
    pub fn has_terminal(&self) -> bool {
        self.terminal
    }

    /// Ends the command. If its mailbox is full of input, the message waits for a slot.
    pub fn terminate(&self) {
        if let Err(SendError::Full(message)) = self.command.try_send(Terminate) {
            let command = self.command.clone();
            // There is at most one such task per request of the client, and one at shutdown.
            actix_rt::spawn(async move { command.send(message).await });
        }
    }

    /// The client is gone: no more output is sent, and the command ends.
    pub fn abandon(&mut self) {
        self.abandoned = true;
        self.terminate();
    }

    /// Adds output. Returns the piece to send now.
    pub fn take(&mut self, stream: OutputStream, bytes: Bytes) -> Option<Piece> {
        if self.abandoned || self.overflow.is_some() {
            return None;
        }
        let captured = match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        };
        if self.streaming {
            let (bytes, cap_reached) = captured.pass(bytes)?;
            let (connection, process_id) = (self.reply.connection(), self.process_id.clone()?);
            return Some(Piece { connection, process_id, bytes, cap_reached });
        }
        if let Err(bound) = captured.keep(&bytes) {
            self.overflow = Some(bound);
            self.terminate();
        }
        None
    }

    /// The answer after the command has ended or could not start.
    pub fn end(self, exit: Result<Exit, LaunchError>) -> Outcome {
        let result = match exit {
            Ok(_) if self.overflow.is_some() => Err(overflow(self.overflow.unwrap_or_default())),
            Ok(exit) => Ok(CommandExecResponse {
                exit_code: if exit.timed_out { TIMED_OUT } else { exit.code },
                stdout: self.stdout.text(),
                stderr: self.stderr.text(),
            }),
            Err(error @ LaunchError::NotConfined(_)) => Err(RpcError::invalid_request(error)),
            Err(error @ LaunchError::TooFewFiles(_)) => Err(RpcError::new(ErrorCode::Overloaded, error)),
            Err(error) => Err(RpcError::internal(error)),
        };
        self.reply.answer(result)
    }

    /// The answer if the command was not started.
    pub fn fail(self, error: &RpcError) -> Outcome {
        self.reply.fail(error)
    }
}

fn overflow(bound: usize) -> RpcError {
    RpcError::invalid_request(format_args!(
        "the command was ended, because it wrote more than the {bound} bytes that can be kept for the result; use \
         streamStdoutStderr, or a smaller outputBytesCap"
    ))
}

/// The stored output of one stream.
struct Captured {
    /// The client's cap, in bytes.
    cap: Option<usize>,
    /// The server's bound on stored output, in bytes.
    bound: usize,
    /// Bytes sent so far.
    passed: usize,
    /// Whether the piece that reached the cap was sent.
    finished: bool,
    kept: Vec<u8>,
}

impl Captured {
    fn new(cap: Option<usize>, bound: usize) -> Self {
        Self { cap, bound, passed: 0, finished: false, kept: Vec::new() }
    }

    /// The part of `bytes` to send, and whether it is the last; nothing after the cap was reached.
    fn pass(&mut self, mut bytes: Bytes) -> Option<(Bytes, bool)> {
        let Some(cap) = self.cap else { return Some((bytes, false)) };
        if self.finished {
            return None;
        }
        bytes.truncate(cap - self.passed);
        self.passed += bytes.len();
        self.finished = self.passed == cap;
        Some((bytes, self.finished))
    }

    /// Stores `bytes` up to the cap.
    ///
    /// # Errors
    /// The server's bound, if the client wants more.
    fn keep(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let wanted = self.cap.map_or(bytes.len(), |cap| bytes.len().min(cap - self.kept.len()));
        if self.kept.len() + wanted > self.bound {
            return Err(self.bound);
        }
        self.kept.extend_from_slice(&bytes[..wanted]);
        Ok(())
    }

    fn text(self) -> String {
        String::from_utf8(self.kept).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(captured: &mut Captured, text: &'static str) -> Option<(Bytes, bool)> {
        captured.pass(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn the_last_piece_before_the_cap_says_so() {
        let mut captured = Captured::new(Some(5), 100);
        assert_eq!(pass(&mut captured, "abc"), Some(("abc".into(), false)));
        assert_eq!(pass(&mut captured, "defg"), Some(("de".into(), true)));
        assert_eq!(pass(&mut captured, "h"), None);
        assert_eq!(pass(&mut captured, "i"), None);

        assert_eq!(pass(&mut Captured::new(Some(2), 100), "ab"), Some(("ab".into(), true)), "as the reference has it");
        assert_eq!(pass(&mut Captured::new(Some(0), 100), "ab"), Some(("".into(), true)));
        assert_eq!(pass(&mut Captured::new(None, 1), "abc"), Some(("abc".into(), false)));
    }

    #[test]
    fn what_is_kept_is_bounded_twice() {
        let mut captured = Captured::new(Some(3), 100);
        assert_eq!((captured.keep(b"ab"), captured.keep(b"cd"), captured.keep(b"e")), (Ok(()), Ok(()), Ok(())));
        assert_eq!(captured.text(), "abc");

        let mut endless = Captured::new(None, 4);
        assert_eq!((endless.keep(b"abcd"), endless.keep(b"e")), (Ok(()), Err(4)));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let mut captured = Captured::new(None, 100);
        captured.keep(b"a\xffb").unwrap();
        assert_eq!(captured.text(), "a\u{fffd}b");
    }
}
