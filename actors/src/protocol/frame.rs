//! One encoded message, shared by everyone who receives it (law 4: a broadcast is serialised once).

use bytestring::ByteString;
use serde::Serialize;

use super::{RequestId, RpcError, ServerNotification};

/// Unused bytes that a frame may hold on to; giving back fewer is not worth the copy.
const WASTED_BYTES: usize = 256;

/// A complete JSON-RPC message as compact JSON text without a line end. Cloning shares the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(ByteString);

impl Frame {
    /// The answer to request `id`.
    pub fn result(id: &RequestId, result: &impl Serialize) -> Self {
        #[derive(Serialize)]
        struct Answer<'a, T> {
            id: &'a RequestId,
            result: &'a T,
        }
        Self::encode(&Answer { id, result }).unwrap_or_else(|e| Self::error(Some(id), &unencodable(&e)))
    }

    /// The refusal of request `id`; `None` (null on the wire) where the request had no usable id.
    pub fn error(id: Option<&RequestId>, error: &RpcError) -> Self {
        #[derive(Serialize)]
        struct Answer<'a> {
            error: &'a RpcError,
            id: Option<&'a RequestId>,
        }
        // An RpcError holds nothing that JSON cannot express, so the empty frame is never sent.
        Self::encode(&Answer { error, id }).unwrap_or_else(|_| Self(ByteString::new()))
    }

    /// A notification, stamped with the time at which it happened (Unix milliseconds).
    pub fn notification(notification: &ServerNotification, emitted_at_ms: i64) -> Self {
        #[derive(Serialize)]
        struct Stamped<'a> {
            #[serde(flatten)]
            notification: &'a ServerNotification,
            #[serde(rename = "emittedAtMs")]
            emitted_at_ms: i64,
        }
        Self::encode(&Stamped { notification, emitted_at_ms }).unwrap_or_else(|e| Self::error(None, &unencodable(&e)))
    }

    /// A request of the server.
    pub fn request(id: &RequestId, method: &str, params: &impl Serialize) -> serde_json::Result<Self> {
        #[derive(Serialize)]
        struct Request<'a, T> {
            method: &'a str,
            id: &'a RequestId,
            params: &'a T,
        }
        Self::encode(&Request { method, id, params })
    }

    fn encode(message: &impl Serialize) -> serde_json::Result<Self> {
        let mut text = serde_json::to_string(message)?;
        // The buffer grows by doubling, and a frame may wait in many queues for long.
        if text.capacity() - text.len() > WASTED_BYTES {
            text.shrink_to_fit();
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn text(&self) -> &ByteString {
        &self.0
    }

    /// The text itself.
    pub fn into_text(self) -> ByteString {
        self.0
    }

    /// Bytes of the text.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never true of a frame that is sent.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn unencodable(error: &serde_json::Error) -> RpcError {
    RpcError::internal(format!("the answer cannot be written as JSON: {error}"))
}
