//! The WebSocket wire: one JSON-RPC message per text message (spec: local transports 6).
//!
//! The actor runs inside the response body of the upgrade and is polled only while its peer reads. So it owns no
//! important timers: the router, which is always polled, enforces the time limits (law 6).

use std::rc::Rc;
use std::time::Duration;

use actix::dev::AsyncContextParts;
use actix::prelude::*;
use actix_http::ws::{self, Message};
use actix_web::web::Payload;
use actix_web::{HttpResponse, HttpResponseBuilder};
use actix_web_actors::HttpContext;
use bytes::Bytes;

use super::intake::Intake;
use super::kill::Kill;
use super::messages::Deliver;
use super::{ConnectionOrigin, Pass};
use crate::hub::Hub;
use crate::panics::guarded;
use crate::protocol::scope::Scopes;
use crate::wire::close::CloseReason;
use crate::wire::reader::{Incoming, MessageReader};

mod application;
mod body;
mod incoming;
mod outbox;

use application::JsonRpc;
pub use application::{Application, Response};
use body::Body;
use incoming::IncomingMessages;
use outbox::{Outbox, close_frame};

/// Serves JSON-RPC over an upgraded connection. `handshake` is the complete 101 response, `kill` ends the connection
/// even if its peer does not read, and `pass` says what the client may do and until when. Then comes by which listener
/// the client came, and for people where it is.
pub fn serve(
    handshake: HttpResponseBuilder,
    payload: Payload,
    hub: &Hub,
    kill: Kill,
    pass: Pass,
    (origin, address): (ConnectionOrigin, String),
) -> HttpResponse {
    let intake = Rc::new(Intake::new(hub, origin, pass.scopes).from(address));
    serve_with(JsonRpc(intake.clone()), intake, handshake, payload, kill, pass.valid_until)
}

/// Serves another application over the same wire.
pub fn serve_application(
    application: impl Application,
    handshake: HttpResponseBuilder,
    payload: Payload,
    hub: &Hub,
    kill: Kill,
) -> HttpResponse {
    serve_with(
        application,
        Rc::new(Intake::new(hub, ConnectionOrigin::Tcp, Scopes::ALL)),
        handshake,
        payload,
        kill,
        None,
    )
}

fn serve_with<A: Application>(
    application: A,
    intake: Rc<Intake>,
    mut handshake: HttpResponseBuilder,
    payload: Payload,
    kill: Kill,
    valid_until: Option<i64>,
) -> HttpResponse {
    let outbox = Rc::new(Outbox::new(intake.clone()));
    let connection = WebSocketConnection {
        application,
        intake: intake.clone(),
        outbox: outbox.clone(),
        kill,
        valid_until,
        malformed: 0,
        closing: false,
        goodbye: None,
    };
    // Does not use the WebSocket context of actix-web-actors, which buffers a frame of any length that a peer claims.
    let context = HttpContext::with_factory(move |ctx| {
        let reader = MessageReader::new(intake.limits(), A::BINARY);
        let incoming = IncomingMessages::new(payload, reader, intake.pulse().clone());
        ctx.add_stream(intake.braked(incoming, Incoming::bytes));
        connection
    });
    handshake.streaming(Body::new(context, outbox))
}

struct WebSocketConnection<A> {
    application: A,
    intake: Rc<Intake>,
    outbox: Rc<Outbox>,
    kill: Kill,
    /// Seconds since the Unix epoch.
    valid_until: Option<i64>,
    /// Malformed messages so far.
    malformed: usize,
    /// A close frame was sent: nothing may follow it, and the peer's is awaited.
    closing: bool,
    /// The peer's close frame, which is answered when its requests are.
    goodbye: Option<Message>,
}

/// Interval between checks whether a peer that has stopped sending is gone.
const HANG_UP_CHECK: Duration = Duration::from_millis(250);

impl<A: Application> WebSocketConnection<A> {
    fn take(&mut self, message: impl FnOnce(&A) -> Response, ctx: &mut HttpContext<Self>) {
        if self.closing {
            return;
        }
        match guarded("a message", || message(&self.application)) {
            Some(Response::Nothing) => {}
            Some(Response::Write(answer)) => self.outbox.push(answer),
            Some(Response::Malformed(answer)) => {
                self.outbox.push(answer);
                self.malformed += 1;
                if self.malformed > self.intake.limits().malformed_messages {
                    self.close(CloseReason::TooManyMalformed, ctx);
                }
            }
            Some(Response::Close(answer, reason)) => {
                self.outbox.push(answer);
                self.close(reason, ctx);
            }
            // A panic may have lost track of a request, so it ends the connection (laws 2 and 7).
            None => self.close(CloseReason::Failed, ctx),
        }
    }

    /// Sends a close frame. The connection ends when the peer has answered it or its time is up.
    fn close(&mut self, reason: CloseReason, ctx: &mut HttpContext<Self>) {
        if self.goodbye.is_some() {
            // The peer has closed already, and is answered at the end.
            return ctx.stop();
        }
        if std::mem::replace(&mut self.closing, true) {
            return;
        }
        log::debug!("connection {} is closed with {}: {}", self.intake.id(), reason.code(), reason.text());
        self.intake.pulse().closed_with(reason.code());
        self.intake.pulse().close();
        self.outbox.push(close_frame(reason));
        ctx.run_later(self.intake.limits().websocket_close_seconds.duration(), |_, ctx| ctx.stop());
    }

    /// The peer has sent a close frame. Unless it answers ours, it is answered with its own code, behind the answers to
    /// what came before it.
    fn closed(&mut self, code: Option<u16>, ctx: &mut HttpContext<Self>) {
        if self.closing {
            return ctx.stop();
        }
        /// A close frame without a code counts as this one (RFC 6455 7.1.5).
        const NO_CODE: u16 = 1005;
        self.intake.pulse().closed_with(code.unwrap_or(NO_CODE));
        let reason = code.map(|code| ws::CloseReason { code: code.into(), description: None });
        self.goodbye = Some(Message::Close(reason));
        if self.intake.is_idle() {
            ctx.stop();
        } else {
            self.intake.end_when_answered::<Self>(self.intake.limits().websocket_close_seconds.duration(), ctx);
            self.end_when_gone(ctx);
        }
    }

    /// Ends the connection as soon as the peer is known to be gone. That it has stopped sending says nothing: it may be
    /// waiting for its last answers.
    fn end_when_gone(&self, ctx: &mut HttpContext<Self>) {
        if self.kill.learns_by_writing() && self.goodbye.is_none() {
            self.outbox.push(Message::Ping(Bytes::new()));
        }
        ctx.run_interval(HANG_UP_CHECK, |connection, ctx| {
            if connection.kill.has_hung_up() {
                ctx.stop();
            }
        });
    }
}

impl<A: Application> Actor for WebSocketConnection<A> {
    type Context = HttpContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.parts().set_mailbox_capacity(self.intake.limits().websocket_outbound_messages);
        let (deliver, kill) = (ctx.address().recipient(), self.kill.clone());
        self.intake.register::<Self>(deliver, kill, self.valid_until, ctx);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        if let Some(goodbye) = self.goodbye.take() {
            self.outbox.push(goodbye);
        }
        self.intake.disconnected();
    }
}

impl<A: Application> StreamHandler<Incoming> for WebSocketConnection<A> {
    fn handle(&mut self, incoming: Incoming, ctx: &mut Self::Context) {
        match incoming {
            Incoming::Text(text) => self.take(|application| application.text(text), ctx),
            Incoming::Binary(bytes) => self.take(|application| application.binary(bytes), ctx),
            Incoming::Ping(payload) if !self.closing => self.outbox.push(Message::Pong(payload)),
            Incoming::Ping(_) => {}
            Incoming::Close(code) => self.closed(code, ctx),
            Incoming::Violation(reason) => self.close(reason, ctx),
        }
    }

    /// The peer has stopped sending, or its bytes can no longer be parsed.
    fn finished(&mut self, ctx: &mut Self::Context) {
        if self.closing {
            ctx.stop();
        } else if self.goodbye.is_none() {
            self.intake.half_closed::<Self>(ctx);
            self.end_when_gone(ctx);
        }
    }
}

impl<A: Application> Handler<Deliver> for WebSocketConnection<A> {
    type Result = ();

    fn handle(&mut self, message: Deliver, ctx: &mut Self::Context) {
        match message {
            Deliver::Frame { frame, settles } => {
                if self.closing {
                    self.intake.written(1, frame.len());
                } else {
                    self.outbox.push_counted(frame);
                }
                if let Some(in_flight) = settles {
                    self.intake.settle::<Self>(in_flight, ctx);
                }
            }
            Deliver::Close { reason } => self.close(reason, ctx),
            Deliver::Ping if !self.closing => self.outbox.push(Message::Ping(Bytes::new())),
            Deliver::Ping => {}
        }
    }
}

#[cfg(test)]
mod tests;
