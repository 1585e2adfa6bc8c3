//! The body of the 101 response: runs the connection actor and writes as fast as the peer reads.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::Error;
use bytes::Bytes;
use futures_util::Stream;

use super::outbox::Outbox;

/// The WebSocket body of actix-web-actors encodes its whole mailbox at once, whatever its size. This one runs the actor
/// in the same way, but takes one chunk at a time from the queue.
pub(super) struct Body<S> {
    /// `None` once the actor has ended.
    actor: Option<Pin<Box<S>>>,
    outbox: Rc<Outbox>,
}

impl<S> Body<S> {
    pub(super) fn new(actor: S, outbox: Rc<Outbox>) -> Self {
        Self { actor: Some(Box::pin(actor)), outbox }
    }
}

impl<S: Stream<Item = Result<Bytes, Error>>> Stream for Body<S> {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.outbox.is_given_up() {
            // Only the close frame is still written.
            self.actor = None;
        }
        if let Some(actor) = &mut self.actor {
            match actor.as_mut().poll_next(cx) {
                Poll::Ready(None) => self.actor = None,
                Poll::Ready(written) => return Poll::Ready(written),
                Poll::Pending => {}
            }
        }
        match self.outbox.chunk() {
            Some(chunk) => Poll::Ready(Some(Ok(chunk))),
            None if self.actor.is_none() => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}
