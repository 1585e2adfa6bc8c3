//! What goes between a client and its server: which requests wait for an answer, and what a proxy that connects again has to
//! remember.

use std::cell::{Cell, RefCell};

use app_server_actors::protocol::raw::{Kind, kind};
use bytestring::ByteString;
use tokio::sync::Notify;

use super::memory::Memory;

/// Counts pending requests. A server that closes the connection as soon as its client stops sending, as the reference
/// program does, would not answer them.
#[derive(Default)]
pub struct Exchange {
    unanswered: Cell<usize>,
    settled: Notify,
    /// For a proxy that connects again.
    memory: Option<RefCell<Memory>>,
}

impl Exchange {
    /// One that can go on with another server.
    pub fn remembering() -> Self {
        Self { memory: Some(RefCell::default()), ..Self::default() }
    }

    /// What the server receives for the client's `text`; `None` for an answer to a question of a server that is gone.
    pub fn upward(&self, text: ByteString) -> Option<ByteString> {
        if kind(&text) == Kind::Request {
            self.unanswered.set(self.unanswered.get() + 1);
        }
        match &self.memory {
            Some(memory) => memory.borrow_mut().upward(text),
            None => Some(text),
        }
    }

    /// What the client receives for the server's `text`; `None` for an answer to a request of the proxy.
    pub fn downward(&self, text: ByteString) -> Option<ByteString> {
        let text = match &self.memory {
            Some(memory) => memory.borrow_mut().downward(text)?,
            None => text,
        };
        if self.unanswered.get() > 0 && kind(&text) == Kind::Answer {
            self.unanswered.set(self.unanswered.get() - 1);
            self.settled.notify_one();
        }
        Some(text)
    }

    /// Resolves when all requests are answered.
    pub async fn settled(&self) {
        while self.unanswered.get() > 0 {
            self.settled.notified().await;
        }
    }

    /// The server is gone: what the client receives for its pending requests.
    pub fn lost(&self) -> Vec<String> {
        self.unanswered.set(0);
        self.memory.as_ref().map(|memory| memory.borrow_mut().lost()).unwrap_or_default()
    }

    /// What a new server receives first.
    pub fn repeated(&self) -> Vec<ByteString> {
        self.memory.as_ref().map(|memory| memory.borrow_mut().repeated()).unwrap_or_default()
    }
}
