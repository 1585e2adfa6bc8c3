//! The reasons for closing a connection: the table of WebSocket close codes (RFC 6455 7.4.1).

/// Why the server closes a connection. If the client closes first, it receives its own code back.
///
/// | code | reason | when |
/// |---|---|---|
/// | 1001 | `ShuttingDown` | the server ends; everything in flight is answered before |
/// | 1002 | `ProtocolError` | a frame that RFC 6455 does not allow |
/// | 1003 | `BinaryMessage` | a binary message; an error is sent before |
/// | 1007 | `InvalidText` | text that is not UTF-8, judged while it arrives |
/// | 1008 | `TooManyMalformed` | one malformed message too many ([`Limits::malformed_messages`]) |
/// | 1008 | `NotInitialized` | no `initialize` in time ([`Limits::initialize_seconds`]) |
/// | 1008 | `NoPong` | no sign of life after a ping ([`Limits::websocket_pong_seconds`]) |
/// | 1008 | `TokenExpired` | the token that let the client in has expired |
/// | 1009 | `MessageTooBig` | a frame or a message above its limit, judged by its header |
/// | 1011 | `Failed` | the server failed while it took a message |
/// | 1013 | `Overloaded` | the client reads too slowly; what was queued is dropped, and it may reconnect and resume |
///
/// A peer that stops reading is disconnected after [`Limits::websocket_close_seconds`]; no close frame can reach it.
///
/// [`Limits::malformed_messages`]: crate::limits::Limits::malformed_messages
/// [`Limits::initialize_seconds`]: crate::limits::Limits::initialize_seconds
/// [`Limits::websocket_pong_seconds`]: crate::limits::Limits::websocket_pong_seconds
/// [`Limits::websocket_close_seconds`]: crate::limits::Limits::websocket_close_seconds
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// See the table.
    ShuttingDown,
    /// See the table.
    ProtocolError,
    /// See the table.
    BinaryMessage,
    /// See the table.
    InvalidText,
    /// See the table.
    TooManyMalformed,
    /// See the table.
    NotInitialized,
    /// See the table.
    NoPong,
    /// See the table.
    TokenExpired,
    /// See the table.
    MessageTooBig,
    /// See the table.
    Failed,
    /// See the table.
    Overloaded,
}

impl CloseReason {
    /// The close code.
    pub fn code(self) -> u16 {
        match self {
            Self::ShuttingDown => 1001,
            Self::ProtocolError => 1002,
            Self::BinaryMessage => 1003,
            Self::InvalidText => 1007,
            Self::TooManyMalformed | Self::NotInitialized | Self::NoPong | Self::TokenExpired => 1008,
            Self::MessageTooBig => 1009,
            Self::Failed => 1011,
            Self::Overloaded => 1013,
        }
    }

    /// The text of the close frame, at most 123 bytes: the reason as in the table, and what to do.
    pub fn on_the_wire(self) -> String {
        format!("{self:?}: {}", self.text())
    }

    /// What happened, and what to do.
    pub fn text(self) -> &'static str {
        match self {
            Self::ShuttingDown => "the server is shutting down",
            Self::ProtocolError => "the frame is not allowed by RFC 6455",
            Self::BinaryMessage => "send JSON in text messages, not binary ones",
            Self::InvalidText => "the text is not UTF-8",
            Self::TooManyMalformed => "too many malformed messages; send one JSON-RPC message per text message",
            Self::NotInitialized => "no initialize request came in time; connect again and send it first",
            Self::NoPong => "no answer to a ping; connect again and resume",
            Self::TokenExpired => "the token of this connection has expired; connect with a new one",
            Self::MessageTooBig => "the message is larger than this server takes",
            Self::Failed => "the server failed; connect again and resume",
            Self::Overloaded => "too much is waiting to be read; connect again and resume",
        }
    }
}

/// Whether an endpoint may send `code` in a close frame: the codes that RFC 6455 and the IANA registry allow, and the
/// ranges for libraries and applications.
pub fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [CloseReason; 11] = [
        CloseReason::ShuttingDown,
        CloseReason::ProtocolError,
        CloseReason::BinaryMessage,
        CloseReason::InvalidText,
        CloseReason::TooManyMalformed,
        CloseReason::NotInitialized,
        CloseReason::NoPong,
        CloseReason::TokenExpired,
        CloseReason::MessageTooBig,
        CloseReason::Failed,
        CloseReason::Overloaded,
    ];

    #[test]
    fn every_reason_fits_a_close_frame_and_stands_in_both_tables() {
        let (here, readme) = (include_str!("close.rs"), include_str!("../../../README.md"));
        for reason in ALL {
            assert!(may_be_sent(reason.code()), "{reason:?}");
            assert!(reason.on_the_wire().len() <= 123, "{reason:?}: a control frame has 125 bytes, two are the code");
            let row = format!("| {} | `{reason:?}` |", reason.code());
            assert!(here.contains(&format!("/// {row}")) && readme.contains(&format!("\n{row}")), "{row}");
        }
    }

    #[test]
    fn codes_that_are_reserved_may_not_be_sent() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
            assert!(!may_be_sent(code), "{code}");
        }
    }
}
