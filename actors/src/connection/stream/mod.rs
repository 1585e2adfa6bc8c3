//! The JSON-lines wire: one JSON-RPC message per line over a pair of byte streams (stdio, in-process clients, remote
//! streams).

use std::rc::Rc;

use actix::prelude::*;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::FramedRead;
use tokio_util::sync::CancellationToken;

use super::ConnectionOrigin;
use super::intake::{Intake, Taken};
use super::kill::Kill;
use super::messages::Deliver;
use crate::hub::Hub;
use crate::panics::guarded;
use crate::protocol::scope::Scopes;
use crate::wire::lines::{JsonLines, Line};

mod open;
mod outbox;

pub use open::{narrowing_opener, opener};
use outbox::Outbox;

/// How a JSON-lines connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The peer closed its input and all its requests were answered and written, or the server ended the connection.
    Finished,
    /// The peer stopped reading: it closed its end or exceeded a limit.
    Cut,
}

/// Serves JSON-RPC over `reader` and `writer`, to a client with these `scopes`, until the connection ends.
pub async fn serve<R, W>(reader: R, writer: W, origin: ConnectionOrigin, scopes: Scopes, hub: &Hub) -> Ended
where
    R: AsyncRead + Unpin + 'static,
    W: AsyncWrite + Unpin + 'static,
{
    let intake = Rc::new(Intake::new(hub, origin, scopes));
    let outbox = Rc::new(Outbox::new(intake.clone()));
    let cut = CancellationToken::new();
    let connection = StreamConnection { intake: intake.clone(), outbox: outbox.clone(), origin, cut: cut.clone() };
    StreamConnection::create(move |ctx| {
        let lines = FramedRead::new(reader, JsonLines::new(intake.limits().message_bytes));
        ctx.add_stream(intake.braked(lines, |line| line.as_ref().map_or(0, Line::bytes)));
        connection
    });
    let ended = tokio::select! {
        written = outbox.write_to(writer) => match written {
            Ok(()) => Ended::Finished,
            Err(error) => {
                log::info!("the {origin} peer stopped reading: {error}");
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
}

impl StreamConnection {
    /// A panic may have lost track of a request, so it ends the connection (laws 2 and 7).
    fn take(&self, text: &str, ctx: &mut Context<Self>) {
        match guarded("a line", || self.intake.take(text)) {
            Some(Taken::InHand) => {}
            // Malformed lines are not limited: only this peer's own process pays for them.
            Some(Taken::Refused(frame) | Taken::Malformed(frame)) => self.outbox.push(frame),
            None => ctx.stop(),
        }
    }
}

impl Actor for StreamConnection {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.intake.limits().stream_outbound_messages);
        let deliver = ctx.address().recipient();
        self.intake.register::<Self>(deliver, Kill::Token(self.cut.clone()), None, ctx);
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
            Ok(line) => match line.into_text(self.intake.limits().message_bytes) {
                Ok(text) => self.take(&text, ctx),
                Err(error) => self.outbox.push(Intake::refusal(&error)),
            },
            Err(error) => {
                log::info!("the {} peer cannot be read: {error}", self.origin);
                ctx.stop();
            }
        }
    }

    /// The peer has closed its input.
    fn finished(&mut self, ctx: &mut Self::Context) {
        self.intake.half_closed::<Self>(ctx);
    }
}

impl Handler<Deliver> for StreamConnection {
    type Result = ();

    fn handle(&mut self, message: Deliver, ctx: &mut Self::Context) {
        match message {
            Deliver::Frame { frame, settles } => {
                self.outbox.push_counted(frame);
                if let Some(in_flight) = settles {
                    self.intake.settle::<Self>(in_flight, ctx);
                }
            }
            Deliver::Close { reason } => {
                log::debug!("the {} connection ends: {}", self.origin, reason.text());
                ctx.stop();
            }
            Deliver::Ping => log::debug!("lines have no pings"),
        }
    }
}
