//! What a server says, as messages. Nothing that it says can take more than its share of memory.

use rmcp::model::ServerJsonRpcMessage;

use crate::protocol::nesting::has_more_values_than;

/// Bytes of one message of a server; a result of a tool may hold pictures.
pub(super) const MESSAGE_BYTES: usize = 16 << 20;

/// Values in one message: reading one takes 32 bytes and more, however short it is.
const VALUES: usize = 500_000;

/// Lines of a server that are no messages, from which on it is taken for something else. Some print a greeting.
const STRAY_LINES: usize = 1000;

/// Why a server is not listened to any more. The text follows its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misbehaviour {
    /// Its message is too long.
    #[error("wrote a message of more than {MESSAGE_BYTES} bytes")]
    TooLong,
    /// It does not speak MCP.
    #[error("wrote {STRAY_LINES} lines that are not MCP")]
    Strays,
}

/// Reads one message.
///
/// # Errors
/// It is none, or holds too much.
pub(super) fn message(text: &str) -> Result<ServerJsonRpcMessage, String> {
    if has_more_values_than(VALUES, text) {
        return Err(format!("it holds more than {VALUES} values"));
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Makes messages of a server's standard output, which is cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    strays: usize,
}

impl Lines {
    /// The messages that `bytes` complete, in their order.
    ///
    /// # Errors
    /// The server is not to be listened to any more.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<ServerJsonRpcMessage>, Misbehaviour> {
        let mut messages = Vec::new();
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.extend(&rest[..end])?;
            rest = &rest[end + 1..];
            let line = std::mem::take(&mut self.line);
            let text = String::from_utf8_lossy(&line);
            if text.trim().is_empty() {
                continue;
            }
            match message(text.trim()) {
                Ok(message) => messages.push(message),
                Err(reason) => {
                    log::debug!("a line of an MCP server is no message: {reason}");
                    self.strays += 1;
                }
            }
            if self.strays >= STRAY_LINES {
                return Err(Misbehaviour::Strays);
            }
        }
        self.extend(rest)?;
        Ok(messages)
    }

    fn extend(&mut self, part: &[u8]) -> Result<(), Misbehaviour> {
        if self.line.len() + part.len() > MESSAGE_BYTES {
            return Err(Misbehaviour::TooLong);
        }
        self.line.extend_from_slice(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

    #[test]
    fn lines_may_be_cut_anywhere_and_strays_are_left_out() {
        let text = format!("hello, I am a server\n\n{PING}\r\n{PING}\n{{\"jsonrpc\"");
        for size in [1, 7, text.len()] {
            let mut lines = Lines::default();
            let pieces = text.as_bytes().chunks(size);
            let messages: usize = pieces.map(|piece| lines.push(piece).unwrap().len()).sum();
            assert_eq!((messages, lines.strays), (2, 1), "pieces of {size}");
        }
    }

    #[test]
    fn who_talks_nonsense_is_not_listened_to_for_ever() {
        let mut lines = Lines::default();
        assert!(lines.push("x\n".repeat(STRAY_LINES - 1).as_bytes()).unwrap().is_empty());
        assert_eq!(lines.push(b"\xff\xfe\n").unwrap_err(), Misbehaviour::Strays);
        let mut lines = Lines::default();
        let piece = vec![b'['; 1 << 20];
        let end = (0..17).find_map(|_| lines.push(&piece).err());
        assert_eq!(end, Some(Misbehaviour::TooLong));
    }

    #[test]
    fn a_message_of_very_many_values_is_refused() {
        let values = vec!["0"; VALUES + 1].join(",");
        assert!(message(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"x":[{values}]}}}}"#)).is_err());
        assert!(message(PING).is_ok());
    }
}
