//! Counts the requests that a server has not answered yet.

use std::cell::Cell;

use app_server_actors::protocol::raw::{Kind, kind};
use tokio::sync::Notify;

/// Counts pending requests. A server that closes the connection as soon as its client stops sending, as the reference
/// program does, would not answer them.
#[derive(Default)]
pub struct Unanswered {
    count: Cell<usize>,
    settled: Notify,
}

impl Unanswered {
    /// The client has sent `text`.
    pub fn sent(&self, text: &str) {
        if kind(text) == Kind::Request {
            self.count.set(self.count.get() + 1);
        }
    }

    /// The server has sent `text`.
    pub fn received(&self, text: &str) {
        if self.count.get() > 0 && kind(text) == Kind::Answer {
            self.count.set(self.count.get() - 1);
            self.settled.notify_one();
        }
    }

    /// Resolves when all requests are answered.
    pub async fn none(&self) {
        while self.count.get() > 0 {
            self.settled.notified().await;
        }
    }
}
