//! The sockets of servers and phones: one text message for each envelope. Knows nothing of what they say.

mod outbox;

use std::sync::Arc;

use actix_web::web::Payload;
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytestring::ByteString;
use futures_util::StreamExt;

use super::end::End;
use super::exchange::Wire as _;
use crate::connection::kill::Kill;
use crate::panics::guarded_future;
use crate::wire::close::CloseReason;
use crate::wire::reader::{Incoming, MessageReader};
pub use outbox::Outbox;

/// What a peer does on its socket.
#[derive(Debug)]
pub enum Heard {
    /// It has sent a text message.
    Text(ByteString),
    /// It has answered a ping.
    Pong,
}

/// An upgraded connection on which nothing was said yet.
pub struct Socket {
    /// The complete 101 response.
    pub handshake: HttpResponseBuilder,
    /// What the peer sends.
    pub payload: Payload,
    /// Ends the connection even if the peer does not read.
    pub kill: Kill,
}

impl Socket {
    /// Serves the socket until it ends: passes what is heard to `hear`, one at a time, and then calls `gone`. Messages above
    /// `message_bytes` end it. `outbox` is what it sends.
    pub fn serve(
        self,
        outbox: Arc<Outbox>,
        message_bytes: usize,
        hear: impl AsyncFn(Heard) + 'static,
        gone: impl AsyncFnOnce() + 'static,
    ) -> HttpResponse {
        let Self { mut handshake, payload, kill } = self;
        let (body, its) = (outbox.body(kill), outbox);
        actix_rt::spawn(async move {
            let why = guarded_future("a socket of the relay", read(payload, message_bytes, &its, &hear)).await;
            its.end(why.unwrap_or(End::Wire(CloseReason::Failed)));
            gone().await;
        });
        handshake.streaming(body)
    }
}

/// Reads until the peer or this side ends it, and returns why.
async fn read(mut payload: Payload, message_bytes: usize, outbox: &Outbox, hear: &impl AsyncFn(Heard)) -> End {
    let mut reader = MessageReader::of_peer(message_bytes);
    let mut pongs = 0;
    loop {
        while let Some(incoming) = reader.next() {
            match incoming {
                Incoming::Text(text) => hear(Heard::Text(text)).await,
                Incoming::Binary(_) => return End::Wire(CloseReason::BinaryMessage),
                Incoming::Ping(payload) => outbox.pong(payload),
                Incoming::Close(_) => return End::Left,
                Incoming::Violation(why) => return End::Wire(why),
            }
        }
        if reader.pongs() != pongs {
            pongs = reader.pongs();
            hear(Heard::Pong).await;
        }
        tokio::select! {
            biased;
            () = outbox.ended() => return End::Left,
            bytes = payload.next() => match bytes {
                Some(Ok(bytes)) => {
                    outbox.hear();
                    reader.push(&bytes);
                }
                Some(Err(_)) | None => return End::Left,
            },
        }
    }
}
