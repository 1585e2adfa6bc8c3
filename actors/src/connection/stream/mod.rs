//! The wire of lines: one JSON-RPC message per line, over any pair of byte streams (stdio, and the in-process client).

use std::rc::Rc;

use actix::prelude::*;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::FramedRead;
use tokio_util::sync::CancellationToken;

use super::ConnectionOrigin;
use super::brake::Braked;
use super::intake::Intake;
use super::kill::Kill;
use super::messages::Deliver;
use crate::hub::Hub;
use crate::protocol::{ErrorCode, RpcError};

mod lines;
mod outbox;

use lines::{JsonLines, Line};
use outbox::Outbox;

/// How a connection over lines ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The peer sent its last line, and everything it asked is answered and written; or the server said goodbye.
    Finished,
    /// The peer does not take what it is sent: its end is closed, or it was cut over a limit.
    Cut,
}

/// Serves JSON-RPC over `reader` and `writer` until the connection ends.
pub async fn serve<R, W>(reader: R, writer: W, origin: ConnectionOrigin, hub: &Hub) -> Ended
where
    R: AsyncRead + Unpin + 'static,
    W: AsyncWrite + Unpin + 'static,
{
    let intake = Rc::new(Intake::new(hub));
    let outbox = Rc::new(Outbox::new(intake.clone()));
    let cut = CancellationToken::new();
    let connection =
        StreamConnection { intake: intake.clone(), outbox: outbox.clone(), origin, cut: cut.clone(), at_end: false };
    StreamConnection::create(move |ctx| {
        let lines = FramedRead::new(reader, JsonLines::new(intake.limits().message_bytes));
        ctx.add_stream(Braked::new(intake.brake().clone(), lines));
        connection
    });
    let ended = tokio::select! {
        written = outbox.write_to(writer) => match written {
            Ok(()) => Ended::Finished,
            Err(error) => {
                log::info!("the {origin} peer reads no more: {error}");
                Ended::Cut
            }
        },
        () = cut.cancelled() => Ended::Cut,
    };
    cut.cancel();
    ended
}

struct StreamConnection {
    intake: Rc<Intake>,
    outbox: Rc<Outbox>,
    origin: ConnectionOrigin,
    cut: CancellationToken,
    /// The peer has sent its last line.
    at_end: bool,
}

impl StreamConnection {
    fn refuse(&self, error: &RpcError) {
        if let Some(refusal) = self.intake.refuse(error) {
            self.outbox.push(refusal);
        }
    }

    fn stop_when_answered(&mut self, ctx: &mut Context<Self>) {
        if self.at_end && self.intake.brake().is_idle() {
            // A turn later, so that what is in the mailbox behind the last answer still goes out.
            ctx.run_later(std::time::Duration::ZERO, |_, ctx| ctx.stop());
        }
    }
}

impl Actor for StreamConnection {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.intake.limits().stream_outbound_messages);
        let deliver = ctx.address().recipient();
        self.intake.register::<Self>(self.origin, deliver, Kill::Token(self.cut.clone()), ctx);
        let cut = self.cut.clone();
        ctx.spawn(async move { cut.cancelled().await }.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.outbox.close();
        self.intake.disconnected();
    }
}

impl StreamHandler<std::io::Result<Line>> for StreamConnection {
    fn handle(&mut self, line: std::io::Result<Line>, ctx: &mut Self::Context) {
        match line {
            Ok(Line::Text(text)) => {
                if let Some(refusal) = self.intake.take(&text) {
                    self.outbox.push(refusal);
                }
            }
            Ok(Line::TooLong) => {
                let limit = self.intake.limits().message_bytes;
                self.refuse(&RpcError::invalid_request(format!(
                    "Invalid request: the line is longer than {limit} bytes"
                )));
            }
            Ok(Line::NotUtf8) => self.refuse(&RpcError::new(ErrorCode::Parse, "Parse error: the line is not UTF-8")),
            Err(error) => {
                log::info!("the {} peer cannot be read: {error}", self.origin);
                ctx.stop();
            }
        }
    }

    /// The peer has sent its last line: what it asked is still answered, within a bounded time.
    fn finished(&mut self, ctx: &mut Self::Context) {
        self.at_end = true;
        self.stop_when_answered(ctx);
        ctx.run_later(self.intake.limits().connection_flush(), |_, ctx| ctx.stop());
    }
}

impl Handler<Deliver> for StreamConnection {
    type Result = ();

    fn handle(&mut self, message: Deliver, ctx: &mut Self::Context) {
        match message {
            Deliver::Frame { frame, settles } => {
                self.outbox.push(frame);
                if let Some(weight) = settles {
                    self.intake.brake().settle(weight);
                    self.stop_when_answered(ctx);
                }
            }
            Deliver::Close { reason } => {
                log::debug!("the {} connection ends: {}", self.origin, reason.text());
                ctx.stop();
            }
        }
    }
}
