//! The right and the duty to answer one request exactly once (law 2).

use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::connection::ConnectionId;
use crate::connection::in_flight::InFlight;
use crate::metrics::requests::Code;
use crate::post::post;
use crate::protocol::{Frame, Method, RequestId, RpcError, ServerNotification};
use crate::router::{Outcome, Router};

/// Travels with a request from its connection to the actor that answers it, and is consumed by the answer. If it is
/// dropped instead (a handler panicked, or an actor ended with requests in its mailbox), the client receives -32603.
pub struct Reply {
    connection: ConnectionId,
    /// Boxed, because it moves from mailbox to mailbox.
    duty: Option<Box<Duty>>,
}

/// A client's request and the duty to answer it. Sent by the processor to the actor that answers. The answer goes to
/// the router. Mailbox full: the client receives -32001 at once.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Asked<R> {
    /// The duty to answer.
    pub reply: Reply,
    /// The request.
    pub request: R,
}

/// A request as it came.
#[derive(Debug)]
pub struct Received {
    /// Its id.
    pub id: RequestId,
    /// The row of its method.
    pub method: &'static Method,
    /// When its bytes came.
    pub since: Instant,
}

#[cfg(test)]
impl Received {
    /// A request that has just come.
    pub(crate) fn of_a_test(id: RequestId) -> Self {
        Self { id, method: &crate::protocol::METHODS[0], since: Instant::now() }
    }
}

struct Duty {
    received: Received,
    in_flight: InFlight,
    router: Arc<Addr<Router>>,
    /// Of the connection. The reply may be dropped on a thread without one.
    runtime: Handle,
    /// Keeps a drain waiting until the request is answered.
    _work: TaskTrackerToken,
}

impl Reply {
    /// Creates the duty to answer the request `received` of `connection` through `router`.
    ///
    /// # Panics
    /// Panics outside a runtime.
    pub fn new(
        connection: ConnectionId,
        received: Received,
        in_flight: InFlight,
        router: Arc<Addr<Router>>,
        work: TaskTrackerToken,
    ) -> Self {
        let duty = Duty { received, in_flight, router, runtime: Handle::current(), _work: work };
        Self { connection, duty: Some(Box::new(duty)) }
    }

    /// For words that wait in no client's request: nobody is answered.
    pub fn to_nobody() -> Self {
        Self { connection: ConnectionId(0), duty: None }
    }

    /// Where the answer goes, for what follows from it later. Empty only after the request was answered.
    pub fn router(&self) -> Option<Arc<Addr<Router>>> {
        self.duty.as_ref().map(|duty| duty.router.clone())
    }

    /// The connection that sent the request.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// The request has left the processor's mailbox, or was rejected because the mailbox was full.
    pub(crate) fn left_mailbox(&self) {
        if let Some(duty) = &self.duty {
            duty.in_flight.brake().taken();
        }
    }

    /// Whether the peer has read so much that it can be sent a large answer, or is gone.
    pub(crate) fn peer_has_drained(&self) -> bool {
        self.duty.as_ref().is_none_or(|duty| duty.in_flight.brake().has_drained())
    }

    /// Ready when [`Self::peer_has_drained`].
    pub fn peer_drained(&self) -> impl Future<Output = ()> + use<> {
        let brake = self.duty.as_ref().map(|duty| duty.in_flight.shared_brake());
        async move {
            if let Some(brake) = brake {
                brake.drained().await;
            }
        }
    }

    /// The answer as an [`Outcome`], to be sent to the router with its consequences.
    pub fn answer(self, result: Result<impl Serialize, RpcError>) -> Outcome {
        match result {
            Ok(result) => self.ok(&result),
            Err(error) => self.fail(&error),
        }
    }

    /// Sends the answer to the router, for an actor without an address of the router and without consequences.
    pub fn post<A>(self, result: Result<impl Serialize, RpcError>, ctx: &mut A::Context)
    where
        A: Actor,
        A::Context: AsyncContext<A>,
    {
        self.post_with::<A>(result, [], ctx);
    }

    /// As [`Self::post`], followed by notifications for everyone whom their rows in the table name.
    pub fn post_with<A>(
        self,
        result: Result<impl Serialize, RpcError>,
        news: impl IntoIterator<Item = ServerNotification>,
        ctx: &mut A::Context,
    ) where
        A: Actor,
        A::Context: AsyncContext<A>,
    {
        if let Some(router) = self.router() {
            let outcome = news.into_iter().fold(self.answer(result), Outcome::publish);
            post::<A, _, _>(&router, outcome, ctx);
        }
    }

    /// Answers with a result.
    pub fn ok(self, result: &impl Serialize) -> Outcome {
        self.frame(Code::Ok, |id| Frame::result(id, result))
    }

    /// Answers with an error.
    pub fn fail(self, error: &RpcError) -> Outcome {
        self.frame(Code::Error(error.code), |id| Frame::error(Some(id), error))
    }

    /// The error as a frame, for the connection to write without the router.
    pub(crate) fn refuse(mut self, error: &RpcError) -> Option<Frame> {
        self.duty.take().map(|duty| Frame::error(Some(&duty.received.id), error))
    }

    /// The result as a frame, for [`Self::send`]. Empty only after the request was answered, which uses up the reply.
    pub(crate) fn encode(&self, result: &impl Serialize) -> Option<Frame> {
        self.duty.as_ref().map(|duty| Frame::result(&duty.received.id, result))
    }

    /// Answers with a frame that [`Self::encode`] made.
    pub(crate) fn send(self, frame: Frame) -> Outcome {
        self.frame(Code::Ok, |_| frame)
    }

    fn frame(mut self, code: Code, encode: impl FnOnce(&RequestId) -> Frame) -> Outcome {
        match self.duty.take() {
            Some(duty) => {
                duty.count(code);
                Outcome::answer(self.connection, encode(&duty.received.id), duty.in_flight)
            }
            None => Outcome::default(),
        }
    }
}

impl Duty {
    fn count(&self, code: Code) {
        self.in_flight.brake().meter().answered(self.received.method, code, self.received.since);
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        let Some(duty) = self.duty.take() else { return };
        let error = RpcError::internal("the server failed while it handled this request; it is safe to try again");
        duty.count(Code::Error(error.code));
        let frame = Frame::error(Some(&duty.received.id), &error);
        let outcome = Outcome::answer(self.connection, frame, duty.in_flight);
        let router = duty.router;
        if let Err(SendError::Full(outcome)) = router.try_send(outcome) {
            // There is at most one such task per dropped reply, so their number is bounded by the requests in flight.
            duty.runtime.spawn(async move { router.send(outcome).await });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::clock::Clock;
    use crate::limits::Limits;
    use crate::panics::guarded;
    use crate::router::listener::listen;

    #[actix_rt::test]
    async fn a_panic_in_a_handler_answers_an_internal_error_once_and_the_drain_does_not_wait_for_it() {
        let router = Router::new(Arc::new(Limits::tiny()), Arc::default(), Clock::system()).start();
        let connection = ConnectionId(1);
        let mut answers = listen(&router, connection).await;

        let work = TaskTracker::new();
        let reply = Reply::new(
            connection,
            Received::of_a_test(RequestId::Integer(9)),
            InFlight::of_a_test(),
            router,
            work.token(),
        );
        assert!(guarded("a test", move || -> Outcome { panic!("while holding {}", reply.connection()) }).is_none());

        let answer = answers.next().await;
        let answer = answer.text();
        assert!(answer.contains("-32603") && answer.ends_with("\"id\":9}"), "{answer}");
        assert!(answers.is_empty(), "once");
        work.close();
        tokio::time::timeout(Duration::from_secs(60), work.wait()).await.unwrap();
    }

    #[actix_rt::test]
    async fn a_reply_that_is_dropped_on_another_thread_is_answered_even_if_the_router_has_no_room() {
        let router = Router::new(Arc::new(Limits::tiny()), Arc::default(), Clock::system()).start();
        let connection = ConnectionId(1);
        let mut answers = listen(&router, connection).await;
        let work = TaskTracker::new();
        let reply = |id| {
            Reply::new(
                connection,
                Received::of_a_test(RequestId::Integer(id)),
                InFlight::of_a_test(),
                router.clone(),
                work.token(),
            )
        };
        let (of_worker, of_thread) = (reply(1), reply(2));
        // Nothing of this thread runs before the next await, so the mailbox stays full until then.
        while router.try_send(Outcome::none()).is_ok() {}
        let (dropped, is_dropped) = std::sync::mpsc::channel();
        actix_rt::task::spawn_blocking(move || {
            drop(of_worker);
            dropped.send(()).unwrap();
        });
        is_dropped.recv_timeout(Duration::from_secs(60)).unwrap();
        std::thread::spawn(move || drop(of_thread)).join().unwrap();
        for _ in 0..2 {
            assert!(answers.next().await.text().contains("-32603"));
        }
    }
}
