//! The server's side of a command's standard streams.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::io::Errno;
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::net::unix::pipe;
use tokio::sync::Notify;

use super::messages::{InputRefused, TerminalSize};

/// End of input (Ctrl-D) on a terminal. After an unfinished line it takes two of them: the first ends the line.
const END_OF_INPUT: u8 = 4;

/// The server's side of a terminal.
pub struct Terminal(OwnedFd);

impl Terminal {
    /// Creates the terminal from its server side `master`.
    pub fn new(master: OwnedFd) -> Self {
        Self(master)
    }

    /// Changes the size. The command receives SIGWINCH.
    pub fn resize(&self, size: TerminalSize) -> io::Result<()> {
        Ok(tcsetwinsize(&self.0, winsize(size))?)
    }
}

/// Converts the size for the operating system.
pub fn winsize(size: TerminalSize) -> Winsize {
    Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 }
}

/// A source of output: a pipe or a terminal.
pub struct Source(pipe::Receiver);

impl Source {
    /// One of two pipes.
    pub fn pipe(ours: OwnedFd) -> io::Result<Self> {
        pipe::Receiver::from_owned_fd(ours).map(Self)
    }

    /// A terminal; `master` must be non-blocking.
    pub fn terminal(master: OwnedFd) -> io::Result<Self> {
        pipe::Receiver::from_owned_fd_unchecked(master).map(Self)
    }

    /// Reads the available bytes; 0 at the end.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.0.readable().await?;
            // Not `AsyncRead`, which takes a short read for the last one; a terminal returns one page at a time.
            match self.0.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Linux reports this when no process has the terminal open any more.
                Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => return Ok(0),
                read => return read,
            }
        }
    }
}

/// A destination of input.
pub struct Sink {
    pipe: pipe::Sender,
    terminal: bool,
}

impl Sink {
    /// A pipe; closing it ends the input.
    pub fn pipe(ours: OwnedFd) -> io::Result<Self> {
        Ok(Self { pipe: pipe::Sender::from_owned_fd(ours)?, terminal: false })
    }

    /// A terminal; `master` must be non-blocking.
    pub fn terminal(master: OwnedFd) -> io::Result<Self> {
        Ok(Self { pipe: pipe::Sender::from_owned_fd_unchecked(master)?, terminal: true })
    }

    async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.pipe.writable().await?;
            match self.pipe.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn close(mut self, inside_line: bool) -> io::Result<()> {
        match (self.terminal, inside_line) {
            (false, _) => Ok(()),
            (true, false) => self.write_all(&[END_OF_INPUT]).await,
            (true, true) => self.write_all(&[END_OF_INPUT; 2]).await,
        }
    }
}

/// The queue of input that the command has not read yet.
pub struct Input {
    sink: RefCell<Option<Sink>>,
    queue: RefCell<VecDeque<Vec<u8>>>,
    queued_bytes: Cell<usize>,
    bound: usize,
    closed: Cell<bool>,
    filled: Notify,
    /// The command has read some of it, or reads no more.
    drained: Notify,
}

impl Input {
    /// Creates a queue that accepts more while at most `bound` bytes are waiting.
    pub fn new(sink: Sink, bound: usize) -> Self {
        Self {
            sink: RefCell::new(Some(sink)),
            queue: RefCell::default(),
            queued_bytes: Cell::new(0),
            bound,
            closed: Cell::new(false),
            filled: Notify::new(),
            drained: Notify::new(),
        }
    }

    /// Queues `bytes`. An empty queue accepts any length, so that no message is too long forever.
    pub fn push(&self, bytes: Vec<u8>, close: bool) -> Result<(), InputRefused> {
        if self.closed.get() {
            return Err(InputRefused::Closed);
        }
        let queued = self.queued_bytes.get();
        if queued > 0 && queued + bytes.len() > self.bound {
            return Err(InputRefused::Full);
        }
        self.queued_bytes.set(queued + bytes.len());
        self.queue.borrow_mut().push_back(bytes);
        self.closed.set(close);
        self.filled.notify_one();
        Ok(())
    }

    /// Queues `bytes` when there is room for them.
    pub async fn push_patiently(&self, bytes: Vec<u8>) -> Result<(), InputRefused> {
        loop {
            let drained = self.drained.notified();
            let queued = self.queued_bytes.get();
            if self.closed.get() || queued == 0 || queued + bytes.len() <= self.bound {
                return self.push(bytes, false);
            }
            drained.await;
        }
    }

    /// Writes queued input until the input is closed or the command stops reading.
    pub async fn pump(self: Rc<Self>) {
        let Some(mut sink) = self.sink.borrow_mut().take() else { return };
        let mut inside_line = false;
        loop {
            let next = self.queue.borrow_mut().pop_front();
            let written = match next {
                Some(bytes) => {
                    inside_line = bytes.last().map_or(inside_line, |last| *last != b'\n');
                    let written = sink.write_all(&bytes).await;
                    self.queued_bytes.set(self.queued_bytes.get() - bytes.len());
                    self.drained.notify_waiters();
                    written
                }
                None if self.closed.get() => return drop(sink.close(inside_line).await),
                None => {
                    self.filled.notified().await;
                    continue;
                }
            };
            if let Err(error) = written {
                log::debug!("a command reads no more: {error}");
                self.closed.set(true);
                self.queue.borrow_mut().clear();
                self.drained.notify_waiters();
                return;
            }
        }
    }
}
