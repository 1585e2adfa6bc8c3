//! JSON-RPC errors, with the codes of the standard and the texts that existing clients know.

use std::fmt::Display;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::quoted::quoted;
use super::scope::{Scope, Scopes};

/// Error codes of JSON-RPC 2.0 section 5.1, and -32001 for overload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The text is not JSON.
    Parse,
    /// JSON, but not a request that the server accepts in its current state.
    InvalidRequest,
    /// No such method.
    MethodNotFound,
    /// The params do not fit the method.
    InvalidParams,
    /// The server failed; the request may be tried again.
    Internal,
    /// A queue is full; retry later with exponential backoff and jitter.
    Overloaded,
}

impl ErrorCode {
    /// The number on the wire.
    pub fn number(self) -> i64 {
        match self {
            Self::Parse => -32700,
            Self::InvalidRequest => -32600,
            Self::MethodNotFound => -32601,
            Self::InvalidParams => -32602,
            Self::Internal => -32603,
            Self::Overloaded => -32001,
        }
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.number())
    }
}

/// The `error` member of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "JSONRPCErrorError")]
pub struct RpcError {
    /// Kind of failure.
    #[schemars(with = "i64")]
    pub code: ErrorCode,
    /// Description for a person.
    pub message: String,
    /// Details for a program; absent if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value")]
    pub data: Option<Value>,
}

impl RpcError {
    /// An error without data. Of a long value in `message` only a part is quoted, and the whole is never built; so give
    /// `format_args!` rather than a text.
    pub fn new(code: ErrorCode, message: impl Display) -> Self {
        Self { code, message: quoted(message), data: None }
    }

    /// The same error with details for a program.
    #[must_use]
    pub fn with_data(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }

    /// -32600 with `message`.
    pub fn invalid_request(message: impl Display) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    /// -32602: the params do not fit. The text is the reference program's, which calls such a failure an invalid
    /// request.
    pub fn invalid_params(reason: impl Display) -> Self {
        Self::new(ErrorCode::InvalidParams, format_args!("Invalid request: {reason}"))
    }

    /// -32603: the server failed.
    pub fn internal(message: impl Display) -> Self {
        Self::new(ErrorCode::Internal, message)
    }

    /// -32001: a queue is full.
    pub fn overloaded() -> Self {
        Self::new(ErrorCode::Overloaded, "Server overloaded; retry later.")
    }

    /// -32600: `what` needs the scope `required`, and the connection has only `scopes`.
    pub fn out_of_scope(what: &str, required: Scope, scopes: Scopes) -> Self {
        Self {
            data: Some(json!({"requiredScope": required})),
            ..Self::invalid_request(format_args!(
                "{what} requires the scope `{required}`; this connection has: {scopes}"
            ))
        }
    }

    /// -32600: the provider is not configured.
    pub fn model_provider_not_configured(id: &str) -> Self {
        Self {
            data: Some(json!({"type": "modelProviderNotConfigured", "modelProvider": quoted(id)})),
            ..Self::invalid_request(format_args!("Model provider `{id}` is not configured; restore its configuration"))
        }
    }

    /// -32600: the server is draining and accepts no new work. `data.reason` lets a client react.
    pub fn draining() -> Self {
        Self {
            data: Some(json!({"reason": "serverShuttingDown"})),
            ..Self::invalid_request("Server is draining; retry after reconnecting")
        }
    }
}
