//! The messages of a peer as a stream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;

use crate::connection::pulse::Pulse;
use crate::wire::reader::{Incoming, MessageReader};

/// Ends when the peer stops sending, or when its bytes can no longer be parsed.
pub(super) struct IncomingMessages<P> {
    payload: P,
    reader: MessageReader,
    pulse: Arc<Pulse>,
}

impl<P> IncomingMessages<P> {
    pub(super) fn new(payload: P, reader: MessageReader, pulse: Arc<Pulse>) -> Self {
        Self { payload, reader, pulse }
    }
}

impl<P: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Stream for IncomingMessages<P> {
    type Item = Incoming;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let this = self.get_mut();
        loop {
            if let Some(incoming) = this.reader.next() {
                return Poll::Ready(Some(incoming));
            }
            if this.reader.has_ended() {
                return Poll::Ready(None);
            }
            match ready!(Pin::new(&mut this.payload).poll_next(cx)) {
                Some(Ok(bytes)) => {
                    this.pulse.hear();
                    this.reader.push(&bytes);
                }
                Some(Err(_)) | None => return Poll::Ready(None),
            }
        }
    }
}
