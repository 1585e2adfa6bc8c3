//! The session at work: shared by the socket's tasks and the streams', all on one arbiter. Nobody waits while it is borrowed.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use actix_rt::task::JoinHandle;
use bytestring::ByteString;
use futures_util::StreamExt;
use tokio::io::{AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::codec::FramedRead;

use super::RemoteLinkLimits;
use super::port::StreamPort;
use super::session::{Pipe, Session, StreamKey};
use crate::connection::stream::{JsonLines, Line};
use crate::panics::guarded_future;

/// See the module's documentation.
pub(super) struct Link {
    limits: Rc<RemoteLinkLimits>,
    session: RefCell<Session<StreamPipe>>,
    /// There may be something to send.
    filled: Notify,
    /// There may be room for what connections have to say.
    room: Notify,
    /// There may be nothing left to do.
    done: Notify,
    connected: Cell<bool>,
    /// Something was taken to be sent, and not all of that is written.
    writing: Cell<bool>,
}

impl Link {
    pub(super) fn new(limits: Rc<RemoteLinkLimits>, message_bytes: usize, port: StreamPort) -> Rc<Self> {
        Rc::new_cyclic(|link| Self {
            session: RefCell::new(Session::new(
                limits.clone(),
                message_bytes,
                Opener { link: link.clone(), limits: limits.clone(), port },
            )),
            limits,
            filled: Notify::new(),
            room: Notify::new(),
            done: Notify::new(),
            connected: Cell::new(false),
            writing: Cell::new(false),
        })
    }

    /// Where the backend is to go on.
    pub(super) fn cursor(&self) -> Option<String> {
        self.session.borrow().cursor().map(str::to_owned)
    }

    /// The session of the login is over.
    pub(super) fn forget(&self) {
        self.session.borrow_mut().clear();
        self.room.notify_waiters();
    }

    /// There is a new socket.
    pub(super) fn replay(&self) {
        self.connected.set(true);
        self.writing.set(false);
        self.session.borrow_mut().replay();
    }

    /// The socket is lost or dropped, if there was one.
    pub(super) fn socket_is_gone(&self) {
        self.connected.set(false);
        self.done.notify_waiters();
    }

    /// Begins no more streams; returns when there are none left with something to say, or no way to say it.
    pub(super) async fn send_rest(&self) {
        self.session.borrow_mut().begin_no_more();
        loop {
            // Before the look, so that an end which comes after it is noticed.
            let done = self.done.notified();
            if !self.connected.get() || !self.writing.get() && self.session.borrow().has_said_all() {
                return;
            }
            done.await;
        }
    }

    /// Takes a text message of the backend.
    pub(super) fn receive(&self, text: &str) {
        if self.session.borrow_mut().receive(text, Instant::now()) {
            self.room.notify_waiters();
        }
        self.filled.notify_one();
        self.done.notify_waiters();
    }

    /// Ends what was silent for too long.
    pub(super) fn sweep(&self) {
        self.session.borrow_mut().sweep(Instant::now());
        self.room.notify_waiters();
    }

    /// What is to be sent next, if anything.
    pub(super) fn next(&self) -> Option<ByteString> {
        let next = self.session.borrow_mut().next();
        self.writing.set(self.writing.get() || next.is_some());
        next
    }

    /// All that was taken to be sent is written.
    pub(super) fn written(&self) {
        self.writing.set(false);
        self.done.notify_waiters();
    }

    /// Returns when there may be something to send.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// There is something else to send.
    pub(super) fn wake(&self) {
        self.filled.notify_one();
    }

    /// Returns when the connection of a stream may say more.
    async fn room(&self, key: &StreamKey) {
        loop {
            // Before the look, so that room which comes after it is noticed.
            let room = self.room.notified();
            if self.session.borrow().has_room(key) {
                return;
            }
            room.await;
        }
    }

    /// Passes on what the connection of a stream says, until it ends.
    async fn relay(&self, key: &StreamKey, generation: u64, reader: ReadHalf<DuplexStream>) {
        let mut lines = FramedRead::new(reader, JsonLines::new(self.limits.segmented_message_bytes));
        loop {
            self.room(key).await;
            let said = match lines.next().await {
                Some(Ok(Line::Text(line))) => self.session.borrow_mut().say(key, generation, &line, Instant::now()),
                Some(Ok(Line::TooLong | Line::NotUtf8)) => {
                    return log::error!("a message is too long for remote control; its stream ends");
                }
                Some(Err(_)) | None => return,
            };
            if let Err(error) = said {
                return log::error!("{error}; its stream ends");
            }
            self.filled.notify_one();
        }
    }
}

/// The way to the connection of one stream. Its task ends with it, and with the task the connection.
pub(super) struct StreamPipe {
    lines: mpsc::Sender<String>,
    waiting_bytes: Rc<Cell<usize>>,
    most_bytes: usize,
    task: JoinHandle<()>,
}

/// What streams are opened with.
pub(super) struct Opener {
    link: Weak<Link>,
    limits: Rc<RemoteLinkLimits>,
    port: StreamPort,
}

impl Pipe for StreamPipe {
    type Opener = Opener;

    fn open(opener: &Opener, key: &StreamKey, generation: u64) -> Self {
        let (lines, waiting) = mpsc::channel(opener.limits.stream_inbound_messages);
        let waiting_bytes = Rc::new(Cell::new(0));
        let (reader, writer) = tokio::io::split(opener.port.open(opener.limits.stream_pipe_bytes));
        let (link, key, bytes) = (opener.link.clone(), key.clone(), waiting_bytes.clone());
        let task = actix_rt::spawn(async move {
            let Some(link) = link.upgrade() else { return };
            guarded_future("a remote stream", async {
                tokio::select! {
                    () = feed(waiting, &bytes, writer) => {}
                    () = link.relay(&key, generation, reader) => {}
                }
            })
            .await;
            link.session.borrow_mut().ended(&key, generation, Instant::now());
            link.done.notify_waiters();
        });
        Self { lines, waiting_bytes, most_bytes: opener.limits.stream_inbound_bytes, task }
    }

    fn offer(&self, line: String) -> bool {
        let (bytes, waiting) = (line.len(), self.waiting_bytes.get());
        // A line of any size may go to a connection for which nothing waits.
        if waiting > 0 && waiting + bytes > self.most_bytes {
            return false;
        }
        let offered = self.lines.try_send(line).is_ok();
        if offered {
            self.waiting_bytes.set(waiting + bytes);
        }
        offered
    }
}

impl Drop for StreamPipe {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Writes what waits for a connection. It waits itself while the connection is not read.
async fn feed(mut waiting: mpsc::Receiver<String>, waiting_bytes: &Cell<usize>, mut writer: WriteHalf<DuplexStream>) {
    while let Some(line) = waiting.recv().await {
        if writer.write_all(line.as_bytes()).await.is_err() {
            return;
        }
        waiting_bytes.set(waiting_bytes.get() - line.len());
    }
}
