//! What the messages of a WebSocket mean.

use std::rc::Rc;

use actix_http::ws::Message;
use bytes::Bytes;
use bytestring::ByteString;

use super::reader::Binary;
use crate::connection::close::CloseReason;
use crate::connection::intake::{Intake, Taken};
use crate::protocol::RpcError;

/// Gives messages their meaning: JSON-RPC in the server, an echo in the conformance suite for RFC 6455.
pub trait Application: Unpin + 'static {
    /// Whether binary messages mean anything.
    const BINARY: Binary;

    /// A text message came.
    fn text(&self, text: ByteString) -> Response;

    /// A binary message came; an empty one, before it is there, where none are taken.
    fn binary(&self, bytes: Bytes) -> Response;
}

/// What the connection does about a message.
#[derive(Debug)]
pub enum Response {
    /// Nothing now.
    Nothing,
    /// Write this.
    Write(Message),
    /// Write this, and count it: too many of them close the connection.
    Malformed(Message),
    /// Write this, and close.
    Close(Message, CloseReason),
}

/// The server's own application.
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
        let error = RpcError::invalid_request(format!("Invalid request: {}", reason.text()));
        Response::Close(Message::Text(Intake::refusal(&error).into_text()), reason)
    }
}
