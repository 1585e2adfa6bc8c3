//! What a relay of our own tells a phone besides the envelopes of its stream. The members never hold anything of a
//! message's payload.

use serde::{Deserialize, Serialize};

use crate::protocol::scope::Scopes;

/// A text message from the relay to a phone that is no envelope of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Notice {
    /// Always the first message of a socket.
    Welcome {
        /// Id of the controller, as the machine knows it.
        client_id: String,
        /// Id of the stream, to resume it by.
        stream_id: String,
        /// Whether the stream goes on: what the phone has not acknowledged follows. Otherwise it begins with `initialize`.
        resumed: bool,
        /// Number of the last message of the phone that was taken; 0 before the first.
        seq_id: u64,
        /// What the phone may do.
        scopes: Scopes,
        /// The machine now.
        machine: Machine,
    },
    /// A message of the phone was not passed on, and its number may be used again.
    Refused {
        /// Number of the message.
        seq_id: u64,
        /// -32001: try again later.
        code: i64,
        /// Why, for a person.
        reason: String,
    },
    /// The machine came or went.
    Machine {
        /// The machine now.
        machine: Machine,
    },
}

/// Whether a machine can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Machine {
    /// It has answered a ping within seconds.
    Connected,
    /// It has not.
    Asleep {
        /// Since when, in seconds since the Unix epoch; absent if the relay has not seen it since its own start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<i64>,
    },
}

impl Notice {
    /// Encodes the notice.
    ///
    /// # Errors
    /// Never in practice: every notice can be encoded.
    pub fn write(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_objects_with_a_type() {
        let asleep = Notice::Machine { machine: Machine::Asleep { since: Some(7) } };
        assert_eq!(asleep.write().unwrap(), r#"{"type":"machine","machine":{"state":"asleep","since":7}}"#);
        let refused = Notice::Refused { seq_id: 3, code: -32001, reason: "asleep".to_owned() };
        assert_eq!(refused.write().unwrap(), r#"{"type":"refused","seq_id":3,"code":-32001,"reason":"asleep"}"#);
        assert_eq!(serde_json::from_str::<Notice>(&asleep.write().unwrap()).unwrap(), asleep);
    }
}
