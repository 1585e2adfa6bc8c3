//! The WebSocket wire: one JSON-RPC message per text message (spec: local transports 6).
//!
//! The actor lives inside the response body of the upgrade and is polled only while its peer takes what it is sent. So
//! it keeps no clock of its own: the router, which is always polled, judges and cuts it (law 6).

use std::rc::Rc;

use actix::prelude::*;
use actix_http::ws::{CloseCode, CloseReason, Message as Frame, ProtocolError};
use actix_web::web::Payload;
use actix_web::{HttpResponse, HttpResponseBuilder};
use actix_web_actors::ws::WebsocketContext;
use futures_util::stream;

use super::ConnectionOrigin;
use super::brake::Braked;
use super::intake::Intake;
use super::kill::Kill;
use super::messages::{self, Deliver};
use crate::hub::Hub;
use crate::protocol::RpcError;

mod body;
mod incoming;
mod outbox;

use body::Body;
use incoming::{Incoming, IncomingMessages};
use outbox::Outbox;

/// Serves JSON-RPC over an upgraded connection. `handshake` is the finished 101; `kill` can end the connection while
/// its peer does not read.
pub fn serve(mut handshake: HttpResponseBuilder, payload: Payload, hub: &Hub, kill: Kill) -> HttpResponse {
    let intake = Rc::new(Intake::new(hub));
    let outbox = Rc::new(Outbox::new(intake.clone()));
    let connection =
        WebSocketConnection { intake: intake.clone(), outbox: outbox.clone(), kill: Some(kill), half_closed: false };
    // The stock reader of frames buffers whatever length a peer claims; ours is added in its place.
    let context = WebsocketContext::with_factory(stream::pending(), move |ctx| {
        let messages = IncomingMessages::new(payload, intake.limits());
        ctx.add_stream(Braked::new(intake.brake().clone(), messages));
        connection
    });
    handshake.streaming(Body::new(context, outbox))
}

struct WebSocketConnection {
    intake: Rc<Intake>,
    outbox: Rc<Outbox>,
    /// Given to the router at the start.
    kill: Option<Kill>,
    /// The peer sends no more, but still waits for answers.
    half_closed: bool,
}

impl WebSocketConnection {
    fn close(&mut self, reason: Option<CloseReason>, ctx: &mut WebsocketContext<Self>) {
        self.outbox.push(Frame::Close(reason));
        ctx.stop();
    }

    fn stop_when_answered(&mut self, ctx: &mut WebsocketContext<Self>) {
        if self.half_closed && self.intake.brake().is_idle() {
            // A turn later, so that what is in the mailbox behind the last answer still goes out.
            ctx.run_later(std::time::Duration::ZERO, |_, ctx| ctx.stop());
        }
    }
}

impl Actor for WebSocketConnection {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.intake.limits().websocket_outbound_messages);
        if let Some(kill) = self.kill.take() {
            let deliver = ctx.address().recipient();
            self.intake.register::<Self>(ConnectionOrigin::WebSocket, deliver, kill, ctx);
        }
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.intake.disconnected();
    }
}

impl StreamHandler<Incoming> for WebSocketConnection {
    fn handle(&mut self, incoming: Incoming, ctx: &mut Self::Context) {
        match incoming {
            Incoming::Text(text) => {
                if let Some(refusal) = self.intake.take(&text) {
                    self.outbox.push_counted(refusal);
                }
            }
            Incoming::Ping(payload) => self.outbox.push(Frame::Pong(payload)),
            Incoming::Close(reason) => self.close(reason, ctx),
            Incoming::Binary => {
                let error = RpcError::invalid_request("Invalid request: send JSON in text messages, not binary ones");
                if let Some(refusal) = self.intake.refuse(&error) {
                    self.outbox.push_counted(refusal);
                }
                self.close(Some(CloseCode::Unsupported.into()), ctx);
            }
            Incoming::Violation { code, text } => {
                log::info!("connection {} broke the WebSocket protocol: {text}", self.intake.id());
                self.close(Some(CloseReason { code, description: Some(text.to_owned()) }), ctx);
            }
        }
    }

    /// The peer has shut its sending side down: what it asked is still answered, within a bounded time.
    fn finished(&mut self, ctx: &mut Self::Context) {
        self.half_closed = true;
        self.stop_when_answered(ctx);
        ctx.run_later(self.intake.limits().connection_flush(), |_, ctx| ctx.stop());
    }
}

impl Handler<Deliver> for WebSocketConnection {
    type Result = ();

    fn handle(&mut self, message: Deliver, ctx: &mut Self::Context) {
        match message {
            Deliver::Frame { frame, settles } => {
                self.outbox.push_counted(frame);
                if let Some(weight) = settles {
                    self.intake.brake().settle(weight);
                    self.stop_when_answered(ctx);
                }
            }
            Deliver::Close { reason } => self.close(Some(close_frame(reason)), ctx),
        }
    }
}

fn close_frame(reason: messages::CloseReason) -> CloseReason {
    let code = match reason {
        messages::CloseReason::ShuttingDown => CloseCode::Away,
    };
    CloseReason { code, description: Some(reason.text().to_owned()) }
}

/// Required by [`WebsocketContext::with_factory`]; its stream is empty.
impl StreamHandler<Result<Frame, ProtocolError>> for WebSocketConnection {
    fn handle(&mut self, _: Result<Frame, ProtocolError>, _: &mut Self::Context) {}
}
