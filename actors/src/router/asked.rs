//! Pending server requests.
//!
//! A request is sent to every subscriber of a thread with the same id, and also to connections that subscribe while it
//! is pending. The first answer of a connection that was asked counts (law 8); later ones are ignored.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::connection::ConnectionId;
use crate::protocol::server_request::{ClientAnswer, ServerRequest, Unanswered};
use crate::protocol::thread::ThreadId;
use crate::protocol::{Frame, RequestId};

/// Identifies a pending request of its thread. Chosen by the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// A request to the subscribers of a thread.
pub struct Ask {
    thread: ThreadId,
    id: AskId,
    method: &'static str,
    told_when_resolved: bool,
    encode: Encode,
    settle: Settle,
}

/// Encodes the frame once the id of the request is known.
type Encode = Box<dyn FnOnce(&RequestId) -> serde_json::Result<Frame> + Send>;

/// Delivers the answer to the sender.
type Settle = Box<dyn FnOnce(Result<ClientAnswer, Unanswered>) + Send>;

impl Ask {
    /// Creates a request with `params`. The answer arrives at the receiver, which closes without one if the request is
    /// withdrawn or the server ends. Pending requests of one thread must have different ids.
    pub fn new<P, A>(
        thread: ThreadId,
        id: AskId,
        request: &'static ServerRequest<P, A>,
        params: P,
    ) -> (Self, oneshot::Receiver<Result<A, Unanswered>>)
    where
        P: Serialize + Send + 'static,
        A: DeserializeOwned + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let encode = move |id: &RequestId| Frame::request(id, request.name(), &params);
        let settle = move |answer: Result<ClientAnswer, Unanswered>| {
            // The sender may have stopped waiting.
            let _ = sender.send(answer.and_then(|answer| request.read(&answer)));
        };
        let ask = Self {
            thread,
            id,
            method: request.name(),
            told_when_resolved: request.told_when_resolved(),
            encode: Box::new(encode),
            settle: Box::new(settle),
        };
        (ask, receiver)
    }

    /// Id of the thread.
    pub(super) fn thread(&self) -> ThreadId {
        self.thread
    }
}

/// A pending request.
struct Pending {
    thread: ThreadId,
    id: AskId,
    method: &'static str,
    told_when_resolved: bool,
    frame: Frame,
    /// Connections that were sent the frame and are still open.
    asked: HashSet<ConnectionId>,
    settle: Settle,
}

/// A resolved request: the notification for the subscribers of its thread, if any.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) thread: ThreadId,
    pub(super) request: RequestId,
    pub(super) is_told: bool,
}

/// All pending requests.
pub(super) struct PendingRequests {
    /// Pending requests by id on the wire. Ids count up from 0.
    pending: BTreeMap<i64, Pending>,
    next: i64,
    most: usize,
}

impl PendingRequests {
    /// Creates a table for up to `most` requests.
    pub(super) fn new(most: usize) -> Self {
        Self { pending: BTreeMap::new(), next: 0, most }
    }

    /// Adds a request and returns the frame to send to `subscribers`. If it cannot be sent, the sender receives an
    /// error and the result is `None`.
    pub(super) fn ask(&mut self, ask: Ask, subscribers: impl IntoIterator<Item = ConnectionId>) -> Option<Frame> {
        let Ask { thread, id, method, told_when_resolved, encode, settle } = ask;
        if self.pending.len() >= self.most {
            log::warn!("{method} was not asked: {} requests to clients wait for an answer already", self.most);
            settle(Err(Unanswered::TooMany { most: self.most }));
            return None;
        }
        let number = self.next;
        let frame = match encode(&RequestId::Integer(number)) {
            Ok(frame) => frame,
            Err(error) => {
                settle(Err(Unanswered::Malformed { method, reason: error.to_string() }));
                return None;
            }
        };
        self.next += 1;
        let asked = subscribers.into_iter().collect();
        let pending = Pending { thread, id, method, told_when_resolved, frame: frame.clone(), asked, settle };
        self.pending.insert(number, pending);
        Some(frame)
    }

    /// The pending requests to send to a new subscriber of `thread`.
    pub(super) fn ask_again(&mut self, thread: ThreadId, connection: ConnectionId) -> Vec<Frame> {
        let waiting = self.pending.values_mut().filter(|pending| pending.thread == thread);
        waiting
            .map(|pending| {
                pending.asked.insert(connection);
                pending.frame.clone()
            })
            .collect()
    }

    /// Delivers an answer to the sender. `None` if `connection` was not sent the request, or the answer is too late.
    pub(super) fn answer(
        &mut self,
        connection: ConnectionId,
        request: &RequestId,
        answer: ClientAnswer,
    ) -> Option<Resolved> {
        let RequestId::Integer(number) = request else { return None };
        if !self.pending.get(number)?.asked.contains(&connection) {
            return None;
        }
        let pending = self.pending.remove(number)?;
        log::debug!("connection {connection} answered {} ({number})", pending.method);
        let resolved = pending.resolved(*number);
        (pending.settle)(Ok(answer));
        Some(resolved)
    }

    /// Withdraws the request `id` of `thread`, or all of its requests.
    pub(super) fn withdraw(&mut self, thread: ThreadId, id: Option<AskId>) -> Vec<Resolved> {
        let mut withdrawn = Vec::new();
        self.pending.retain(|number, pending| {
            let is_meant = pending.thread == thread && id.is_none_or(|id| pending.id == id);
            withdrawn.extend(is_meant.then(|| pending.resolved(*number)));
            !is_meant
        });
        withdrawn
    }

    /// A connection has ended. Its requests stay pending for the others.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        for pending in self.pending.values_mut() {
            pending.asked.remove(&connection);
        }
    }
}

impl Pending {
    fn resolved(&self, number: i64) -> Resolved {
        Resolved { thread: self.thread, request: RequestId::Integer(number), is_told: self.told_when_resolved }
    }
}
