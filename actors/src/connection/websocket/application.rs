//! What a WebSocket connection does with its messages.

use std::rc::Rc;

use actix_http::ws::Message;
use bytes::Bytes;
use bytestring::ByteString;

use crate::connection::intake::{Intake, Taken};
use crate::protocol::RpcError;
use crate::wire::close::CloseReason;
use crate::wire::reader::Binary;

/// Handles the messages of a WebSocket connection: JSON-RPC in the server, an echo in the RFC 6455 conformance suite.
pub trait Application: Unpin + 'static {
    /// Whether binary messages are accepted.
    const BINARY: Binary;

    /// Handles a text message.
    fn text(&self, text: ByteString) -> Response;

    /// Handles a binary message. If they are not accepted, it is called with an empty one as soon as its header
    /// arrives.
    fn binary(&self, bytes: Bytes) -> Response;
}

/// What the connection does after a message.
#[derive(Debug)]
pub enum Response {
    /// Nothing.
    Nothing,
    /// Write this frame.
    Write(Message),
    /// Write this frame and count a malformed message; too many of them close the connection.
    Malformed(Message),
    /// Write this frame and close.
    Close(Message, CloseReason),
}

/// The application of the server.
pub(super) struct JsonRpc(pub(super) Rc<Intake>);

impl Application for JsonRpc {
    const BINARY: Binary = Binary::Refused;

    fn text(&self, text: ByteString) -> Response {
        match self.0.take(&text) {
            Taken::InHand => Response::Nothing,
            Taken::Refused(frame) => Response::Write(Message::Text(frame.into_text())),
            Taken::Malformed(frame) => Response::Malformed(Message::Text(frame.into_text())),
        }
    }

    fn binary(&self, _: Bytes) -> Response {
        let reason = CloseReason::BinaryMessage;
        let error = RpcError::invalid_request(format_args!("Invalid request: {}", reason.text()));
        Response::Close(Message::Text(Intake::refusal(&error).into_text()), reason)
    }
}
