//! Pending server requests.
//!
//! A request is sent to every subscriber of a thread with the same id, and also to connections that subscribe while it
//! is pending. The first answer of a connection that was asked counts (law 8); later ones are ignored.
//!
//! An error is no answer while others are still asked: a client that does not understand the request must not decide for
//! them. It counts only when everyone who was asked has answered with an error or has left.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::connection::ConnectionId;
use crate::metrics::Metrics;
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
    sender: Box<dyn Sender>,
}

/// Encodes the frame once the id of the request is known.
type Encode = Box<dyn FnOnce(&RequestId) -> serde_json::Result<Frame> + Send>;

/// Who waits for the answer. It may have stopped waiting.
trait Sender: Send {
    /// Decodes the answer and delivers it.
    ///
    /// # Errors
    /// It is an error, or does not fit; nothing was delivered.
    fn deliver(&mut self, answer: &ClientAnswer) -> Result<(), Unanswered>;

    /// Delivers that there is no answer.
    fn fail(&mut self, why: Unanswered);
}

/// The sender of a request with params `P` and answer `A`.
struct SenderOf<P: 'static, A: 'static> {
    request: &'static ServerRequest<P, A>,
    waiting: Option<oneshot::Sender<Result<A, Unanswered>>>,
}

impl<P, A> SenderOf<P, A> {
    fn send(&mut self, answer: Result<A, Unanswered>) {
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.send(answer);
        }
    }
}

impl<P, A: DeserializeOwned + Send> Sender for SenderOf<P, A> {
    fn deliver(&mut self, answer: &ClientAnswer) -> Result<(), Unanswered> {
        let answer = self.request.read(answer)?;
        self.send(Ok(answer));
        Ok(())
    }

    fn fail(&mut self, why: Unanswered) {
        self.send(Err(why));
    }
}

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
        let ask = Self {
            thread,
            id,
            method: request.name(),
            told_when_resolved: request.told_when_resolved(),
            encode: Box::new(encode),
            sender: Box::new(SenderOf { request, waiting: Some(sender) }),
        };
        (ask, receiver)
    }

    /// Id of the thread.
    pub(super) fn thread(&self) -> ThreadId {
        self.thread
    }

    /// Id among the requests of the thread.
    pub fn id(&self) -> AskId {
        self.id
    }
}

/// A pending request.
struct Pending {
    thread: ThreadId,
    id: AskId,
    method: &'static str,
    told_when_resolved: bool,
    frame: Frame,
    /// Connections that were sent the frame, follow the thread, and have not answered.
    asked: HashSet<ConnectionId>,
    /// The last answer that was an error or did not fit.
    refusal: Option<Unanswered>,
    sender: Box<dyn Sender>,
    since: Instant,
}

/// What became of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// It counts.
    Resolved(Resolved),
    /// It is an error or does not fit, and others are still asked.
    Waiting,
    /// The connection was not sent the request, has answered before, or the answer is too late.
    Ignored,
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
    metrics: Arc<Metrics>,
}

impl PendingRequests {
    /// Creates a table for up to `most` requests.
    pub(super) fn new(most: usize, metrics: Arc<Metrics>) -> Self {
        Self { pending: BTreeMap::new(), next: 0, most, metrics }
    }

    /// How many there are, and how many there may be.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.pending.len(), self.most)
    }

    /// Adds a request and returns the frame to send to `subscribers`. If it cannot be sent, the sender receives an
    /// error and the result is `None`.
    pub(super) fn ask(&mut self, ask: Ask, subscribers: impl IntoIterator<Item = ConnectionId>) -> Option<Frame> {
        let Ask { thread, id, method, told_when_resolved, encode, mut sender } = ask;
        if self.pending.len() >= self.most {
            log::warn!("{method} was not asked: {} requests to clients wait for an answer already", self.most);
            sender.fail(Unanswered::TooMany { most: self.most });
            return None;
        }
        let number = self.next;
        let frame = match encode(&RequestId::Integer(number)) {
            Ok(frame) => frame,
            Err(error) => {
                sender.fail(Unanswered::Malformed { method, reason: error.to_string() });
                return None;
            }
        };
        self.next += 1;
        let asked = subscribers.into_iter().collect();
        let (frame_to_send, refusal) = (frame.clone(), None);
        let since = Instant::now();
        let pending = Pending { thread, id, method, told_when_resolved, frame, asked, refusal, sender, since };
        self.pending.insert(number, pending);
        Some(frame_to_send)
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

    /// Delivers an answer to the sender if it counts.
    pub(super) fn answer(&mut self, connection: ConnectionId, request: &RequestId, answer: &ClientAnswer) -> Answered {
        let RequestId::Integer(number) = request else { return Answered::Ignored };
        let Some(pending) = self.pending.get_mut(number).filter(|it| it.asked.contains(&connection)) else {
            return Answered::Ignored;
        };
        if let Err(refusal) = pending.sender.deliver(answer) {
            log::info!("connection {connection} gave no usable answer to {} ({number})", pending.method);
            pending.asked.remove(&connection);
            pending.refusal = Some(refusal);
            if !pending.is_refused() {
                return Answered::Waiting;
            }
        }
        self.resolve(*number).map_or(Answered::Ignored, Answered::Resolved)
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

    /// A connection follows `thread` no more, or any thread if none is named. Requests that it has not answered stay
    /// pending for the others; those that everyone else has refused are resolved.
    pub(super) fn forget(&mut self, connection: ConnectionId, thread: Option<ThreadId>) -> Vec<Resolved> {
        let meant = self.pending.iter_mut().filter(|(_, pending)| thread.is_none_or(|thread| pending.thread == thread));
        let left = meant.filter_map(|(number, pending)| {
            let has_left = pending.asked.remove(&connection);
            (has_left && pending.is_refused()).then_some(*number)
        });
        left.collect::<Vec<_>>().into_iter().filter_map(|number| self.resolve(number)).collect()
    }

    /// Removes a request that was answered, or that everyone has refused.
    fn resolve(&mut self, number: i64) -> Option<Resolved> {
        let mut pending = self.pending.remove(&number)?;
        self.metrics.waited.record(pending.since.elapsed());
        if let Some(refusal) = pending.refusal.take() {
            // After an answer this does nothing.
            pending.sender.fail(refusal);
        }
        Some(pending.resolved(number))
    }
}

impl Pending {
    /// Whether somebody has refused and nobody else is still asked.
    fn is_refused(&self) -> bool {
        self.refusal.is_some() && self.asked.is_empty()
    }

    fn resolved(&self, number: i64) -> Resolved {
        Resolved { thread: self.thread, request: RequestId::Integer(number), is_told: self.told_when_resolved }
    }
}
