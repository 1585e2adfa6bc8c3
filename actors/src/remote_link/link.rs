//! The shared state of the link: used by the tasks of the socket and the streams, all on one arbiter. No task awaits
//! while it borrows the session.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use actix::Recipient;
use actix_rt::task::JoinHandle;
use bytestring::ByteString;
use futures_util::StreamExt;
use tokio::io::{AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::codec::FramedRead;

use super::session::{Pipe, Session, StreamKey};
use super::{Decide, DeviceCame, Keys, OpenPairing, RemoteLinkLimits, attention};
use crate::panics::guarded_future;
use crate::protocol::scope::{Scope, Scopes};
use crate::wire::lines::{JsonLines, Line};

/// Opens a connection of the server: one JSON-RPC message a line, both ways, with so many bytes of room each way. With scopes
/// it gets no others.
pub type OpenStream = Box<dyn Fn(usize, Option<Scopes>) -> DuplexStream + Send>;

/// See the module's documentation.
pub(super) struct Link {
    limits: Rc<RemoteLinkLimits>,
    session: RefCell<Session<StreamPipe>>,
    came: Recipient<DeviceCame>,
    /// Signals that there may be something to send.
    filled: Notify,
    /// Signals that there may be room for messages of connections.
    room: Notify,
    /// Signals that there may be nothing left to do.
    done: Notify,
    connected: Cell<bool>,
    /// Whether the relay is one of ours.
    own_relay: bool,
    /// Whether something waits for a person, and the relay was not told yet.
    attention: Cell<bool>,
    /// Whether an envelope was taken but is not written completely.
    writing: Cell<bool>,
}

impl Link {
    pub(super) fn new(
        limits: Rc<RemoteLinkLimits>,
        message_bytes: usize,
        open: OpenStream,
        came: Recipient<DeviceCame>,
        own_relay: bool,
    ) -> Rc<Self> {
        Rc::new_cyclic(|link| Self {
            session: RefCell::new(Session::new(
                limits.clone(),
                message_bytes,
                Opener { link: link.clone(), limits: limits.clone(), open },
            )),
            limits,
            came,
            filled: Notify::new(),
            room: Notify::new(),
            done: Notify::new(),
            connected: Cell::new(false),
            own_relay,
            attention: Cell::new(false),
            writing: Cell::new(false),
        })
    }

    /// The cursor after which the backend continues.
    pub(super) fn cursor(&self) -> Option<String> {
        self.session.borrow().cursor().map(str::to_owned)
    }

    /// The sign-in has ended.
    pub(super) fn forget(&self) {
        self.session.borrow_mut().clear();
        self.room.notify_waiters();
    }

    /// A controller is revoked.
    pub(super) fn revoke(&self, client: &str, confirmed: bool) {
        self.session.borrow_mut().revoke(client, confirmed, Instant::now());
        self.room.notify_waiters();
        self.done.notify_waiters();
    }

    /// A new pairing starts.
    pub(super) fn readmit(&self) {
        self.session.borrow_mut().readmit();
    }

    /// With keys everything has to be encrypted end to end; without, nothing is.
    pub(super) fn use_keys(&self, keys: Option<Keys>) {
        self.session.borrow_mut().use_keys(keys);
    }

    /// Devices may come for a pairing.
    pub(super) fn open_pairing(&self, pairing: OpenPairing) {
        self.session.borrow_mut().open_pairing(pairing, Instant::now());
    }

    /// A device is paired, or refused.
    pub(super) fn decide(&self, decision: &Decide) {
        self.session.borrow_mut().decide(decision, Instant::now());
        self.filled.notify_one();
        self.done.notify_waiters();
    }

    /// Tells remote control of the devices that have come.
    fn tell_of_devices(&self) {
        loop {
            let Some(came) = self.session.borrow_mut().came() else { return };
            if self.came.try_send(came.clone()).is_err() {
                self.session.borrow_mut().is_too_busy_for(&came, Instant::now());
            }
        }
    }

    /// A new socket is established.
    pub(super) fn replay(&self) {
        self.connected.set(true);
        self.writing.set(false);
        self.session.borrow_mut().replay();
    }

    /// The socket, if any, is lost or dropped.
    pub(super) fn socket_is_gone(&self) {
        self.connected.set(false);
        self.done.notify_waiters();
    }

    /// Refuses new streams. Returns when no stream has anything left to send, or when there is no socket.
    pub(super) async fn send_rest(&self) {
        self.session.borrow_mut().begin_no_more();
        loop {
            // Registered before the check, so that an end after it is noticed.
            let done = self.done.notified();
            if !self.connected.get() || !self.writing.get() && self.session.borrow().has_said_all() {
                return;
            }
            done.await;
        }
    }

    /// Handles a text message from the backend.
    pub(super) fn receive(&self, text: &str) {
        if self.session.borrow_mut().receive(text, Instant::now()) {
            self.room.notify_waiters();
        }
        self.tell_of_devices();
        self.filled.notify_one();
        self.done.notify_waiters();
    }

    /// Ends streams that were silent for too long.
    pub(super) fn sweep(&self) {
        self.session.borrow_mut().sweep(Instant::now());
        self.room.notify_waiters();
    }

    /// The next envelope to send, if any.
    pub(super) fn next(&self) -> Option<ByteString> {
        let next = self.attention.take().then(attention::envelope).flatten();
        let next = next.or_else(|| self.session.borrow_mut().next());
        self.writing.set(self.writing.get() || next.is_some());
        next
    }

    /// All taken envelopes are written.
    pub(super) fn written(&self) {
        self.writing.set(false);
        self.done.notify_waiters();
    }

    /// Waits until there may be something to send.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// A connection to watch this machine by, for a relay of our own. The others are told nothing.
    pub(super) fn watch(&self) -> Option<DuplexStream> {
        self.own_relay.then(|| self.session.borrow().opener().open_watch())
    }

    /// Something waits for a person.
    pub(super) fn want_attention(&self) {
        self.attention.set(true);
        self.filled.notify_one();
    }

    /// The bounds.
    pub(super) fn limits(&self) -> &RemoteLinkLimits {
        &self.limits
    }

    /// Wakes the task that sends.
    pub(super) fn wake(&self) {
        self.filled.notify_one();
    }

    /// Waits until the connection of a stream may send more.
    async fn room(&self, key: &StreamKey) {
        loop {
            // Registered before the check, so that room after it is noticed.
            let room = self.room.notified();
            if self.session.borrow().has_room(key) {
                return;
            }
            room.await;
        }
    }

    /// Forwards messages of a stream's connection until it ends.
    async fn relay(&self, key: &StreamKey, generation: u64, reader: ReadHalf<DuplexStream>) {
        let mut lines = FramedRead::new(reader, JsonLines::new(self.limits.segmented_message_bytes));
        loop {
            self.room(key).await;
            let said = match lines.next().await {
                Some(Ok(Line::Text(line))) => self.session.borrow_mut().say(key, generation, &line, Instant::now()),
                Some(Ok(Line::TooLong | Line::NotUtf8)) => {
                    return log::error!("a message is too long for remote control; its stream is closed");
                }
                Some(Err(_)) | None => return,
            };
            if let Err(error) = said {
                return log::error!("{error}; its stream is closed");
            }
            self.filled.notify_one();
        }
    }
}

/// The pipe to the connection of one stream. Dropping it ends its task, and with it the connection.
pub(super) struct StreamPipe {
    lines: mpsc::Sender<String>,
    waiting_bytes: Rc<Cell<usize>>,
    most_bytes: usize,
    task: JoinHandle<()>,
}

/// Opens connections for streams.
pub(super) struct Opener {
    link: Weak<Link>,
    limits: Rc<RemoteLinkLimits>,
    open: OpenStream,
}

impl Opener {
    fn open_watch(&self) -> DuplexStream {
        (self.open)(self.limits.stream_pipe_bytes, Some(Scopes::from_iter([Scope::Observe])))
    }
}

impl Pipe for StreamPipe {
    type Opener = Opener;

    fn open(opener: &Opener, key: &StreamKey, generation: u64, scopes: Option<Scopes>) -> Self {
        let (lines, waiting) = mpsc::channel(opener.limits.stream_inbound_messages);
        let waiting_bytes = Rc::new(Cell::new(0));
        let (reader, writer) = tokio::io::split((opener.open)(opener.limits.stream_pipe_bytes, scopes));
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
        // A connection without waiting lines accepts a line of any size.
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

/// Writes waiting lines to a connection. It blocks while the connection is not being read.
async fn feed(mut waiting: mpsc::Receiver<String>, waiting_bytes: &Cell<usize>, mut writer: WriteHalf<DuplexStream>) {
    while let Some(line) = waiting.recv().await {
        if writer.write_all(line.as_bytes()).await.is_err() {
            return;
        }
        waiting_bytes.set(waiting_bytes.get() - line.len());
    }
}
