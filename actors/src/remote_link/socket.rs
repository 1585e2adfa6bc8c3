//! An established socket, from the upgrade until it is lost (spec: remote control 5).

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use actix_http::ws::{Codec, Message};
use awc::BoxedSocket;
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until};
use tokio_util::codec::Encoder;

use super::link::Link;
use super::{RemoteLinkLimits, attention};
use crate::wire::reader::{Incoming, MessageReader};

/// Size of one read and of one write, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// Time to read what has arrived, before the backend is judged by it.
const READ_FIRST: Duration = Duration::from_millis(100);

/// A new socket, and the bytes that followed the upgrade.
pub(super) struct Socket {
    pub(super) io: BoxedSocket,
    pub(super) read: Bytes,
}

/// Signals between the socket's tasks.
struct Signals {
    /// Payload of the backend's latest unanswered ping.
    pinged: RefCell<Option<Bytes>>,
    /// Whether a ping is due.
    ping: Cell<bool>,
    /// When the backend's latest pong arrived.
    pong: Cell<Instant>,
}

/// Serves the socket until it ends by itself, and returns the cause. Dropping the future drops the socket without a
/// close frame.
pub(super) async fn run(socket: Socket, link: Rc<Link>, limits: Rc<RemoteLinkLimits>, message_bytes: usize) -> String {
    let (reader, writer) = tokio::io::split(socket.io);
    let mut messages = MessageReader::of_backend(limits.frame_bytes, message_bytes);
    messages.push(&socket.read);
    let signals = Signals { pinged: RefCell::default(), ping: Cell::new(false), pong: Cell::new(Instant::now()) };
    tokio::select! {
        why = read(reader, messages, &link, &signals) => why,
        error = write(writer, &link, &signals) => format!("the backend cannot be written to: {error}"),
        () = watch(&link, &signals, &limits) => format!("the backend sent no pong for {}", limits.pong_seconds),
        () = sweep(&link, limits.stream_sweep_seconds.duration()) => "the sweep ended".to_owned(),
        () = attention::watch(&link) => "the watch ended".to_owned(),
    }
}

async fn read(
    mut socket: ReadHalf<BoxedSocket>,
    mut messages: MessageReader,
    link: &Link,
    signals: &Signals,
) -> String {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut pongs = 0;
    loop {
        while let Some(incoming) = messages.next() {
            match incoming {
                Incoming::Text(text) => link.receive(&text),
                Incoming::Binary(_) => log::warn!("the backend sent a binary message; it is ignored"),
                Incoming::Ping(payload) => {
                    // Only the latest ping needs an answer (RFC 6455 5.5.3).
                    *signals.pinged.borrow_mut() = Some(payload);
                    link.wake();
                }
                Incoming::Close(code) => return format!("the backend closed the connection (code {code:?})"),
                Incoming::Violation(why) => return format!("the backend broke the protocol: {}", why.text()),
            }
        }
        if messages.pongs() != pongs {
            pongs = messages.pongs();
            signals.pong.set(Instant::now());
        }
        match socket.read(&mut chunk).await {
            Ok(read @ 1..) => messages.push(&chunk[..read]),
            Ok(0) => return "the backend ended the connection".to_owned(),
            Err(error) => return format!("the backend cannot be read: {error}"),
        }
    }
}

async fn write(mut socket: WriteHalf<BoxedSocket>, link: &Link, signals: &Signals) -> io::Error {
    let mut codec = Codec::new().client_mode();
    let mut encoded = BytesMut::new();
    loop {
        encoded.clear();
        if encoded.capacity() > 4 * CHUNK_BYTES {
            encoded = BytesMut::new();
        }
        while encoded.len() < CHUNK_BYTES
            && let Some(message) = next(link, signals)
        {
            if let Err(error) = codec.encode(message, &mut encoded) {
                return io::Error::other(error);
            }
        }
        if encoded.is_empty() {
            link.written();
            link.filled().await;
            continue;
        }
        if let Err(error) = socket.write_all(&encoded).await {
            return error;
        }
        if let Err(error) = socket.flush().await {
            return error;
        }
    }
}

/// Pings and pongs are sent first, because the backend judges this host by them.
fn next(link: &Link, signals: &Signals) -> Option<Message> {
    if let Some(payload) = signals.pinged.take() {
        return Some(Message::Pong(payload));
    }
    if signals.ping.take() {
        return Some(Message::Ping(Bytes::new()));
    }
    link.next().map(Message::Text)
}

/// Pings the backend. Returns when its pongs are overdue.
async fn watch(link: &Link, signals: &Signals, limits: &RemoteLinkLimits) {
    let mut pings = interval_at(Instant::now() + limits.ping_seconds.duration(), limits.ping_seconds.duration());
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let overdue = signals.pong.get() + limits.pong_seconds.duration();
        tokio::select! {
            _ = pings.tick() => {
                signals.ping.set(true);
                link.wake();
            }
            () = sleep_until(overdue) => {
                // If this process was stopped, what has arrived is still in the socket.
                sleep(READ_FIRST).await;
                if signals.pong.get() + limits.pong_seconds.duration() <= Instant::now() {
                    return;
                }
            }
        }
    }
}

async fn sweep(link: &Link, every: Duration) {
    let mut looks = interval_at(Instant::now() + every, every);
    loop {
        looks.tick().await;
        link.sweep();
    }
}
