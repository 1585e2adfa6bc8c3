//! Requests of the server that wait for an answer.
//!
//! Every subscriber of a thread is asked with the same id, and so is whoever attaches while the request waits. The first
//! answer of a connection that was asked counts (law 8); all others come too late and are ignored.

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

/// Names a request among those of its thread that wait. Whoever asks chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// A question to the subscribers of a thread.
pub struct Ask {
    thread: ThreadId,
    id: AskId,
    method: &'static str,
    told_when_resolved: bool,
    encode: Encode,
    settle: Settle,
}

/// Makes the frame, as soon as the id of the request is known.
type Encode = Box<dyn FnOnce(&RequestId) -> serde_json::Result<Frame> + Send>;

/// Hands the answer to whoever asked.
type Settle = Box<dyn FnOnce(Result<ClientAnswer, Unanswered>) + Send>;

impl Ask {
    /// Asks `request` with `params`. The answer comes by the receiver, which ends without one when the question is
    /// withdrawn or the server ends. Several questions of one thread that wait at once have different ids.
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

    /// Which thread it is about.
    pub(super) fn thread(&self) -> ThreadId {
        self.thread
    }
}

/// A question that waits.
struct Pending {
    thread: ThreadId,
    id: AskId,
    method: &'static str,
    told_when_resolved: bool,
    frame: Frame,
    /// Who was sent the frame, and is still connected.
    asked: HashSet<ConnectionId>,
    settle: Settle,
}

/// A question that waits no more: what the subscribers of its thread are told, if they are told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) thread: ThreadId,
    pub(super) request: RequestId,
    pub(super) is_told: bool,
}

/// All questions that wait.
pub(super) struct PendingRequests {
    /// By the id on the wire; ids count up from 0, in the order of asking.
    pending: BTreeMap<i64, Pending>,
    next: i64,
    most: usize,
}

impl PendingRequests {
    /// A table for at most `most` questions.
    pub(super) fn new(most: usize) -> Self {
        Self { pending: BTreeMap::new(), next: 0, most }
    }

    /// Takes a question in, and gives the frame that `subscribers` are to be sent; `None` where it cannot be asked, which
    /// whoever asked has then been told.
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

    /// What a connection that now follows `thread` is to be sent.
    pub(super) fn ask_again(&mut self, thread: ThreadId, connection: ConnectionId) -> Vec<Frame> {
        let waiting = self.pending.values_mut().filter(|pending| pending.thread == thread);
        waiting
            .map(|pending| {
                pending.asked.insert(connection);
                pending.frame.clone()
            })
            .collect()
    }

    /// Hands an answer to whoever asked. `None` where `connection` was not asked this, or the answer comes too late.
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

    /// Drops the question `id` of `thread`, or all of its questions.
    pub(super) fn withdraw(&mut self, thread: ThreadId, id: Option<AskId>) -> Vec<Resolved> {
        let mut withdrawn = Vec::new();
        self.pending.retain(|number, pending| {
            let is_meant = pending.thread == thread && id.is_none_or(|id| pending.id == id);
            withdrawn.extend(is_meant.then(|| pending.resolved(*number)));
            !is_meant
        });
        withdrawn
    }

    /// A connection is gone. What it was asked waits for others.
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
