//! Detects what the client speaks from its first bytes.

use app_server_actors::wire::lines::BYTE_ORDER_MARK;
use bytes::BytesMut;
use clap::ValueEnum;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Maximum white space before JSON, in bytes. More of it is not taken for JSON.
const BLANK_BYTES: usize = 4096;

/// The format of stdin and stdout as given by the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Framing {
    /// Decided by the first bytes: `jsonl` for JSON, `raw` for everything else.
    #[default]
    Auto,
    /// Bytes are passed through; the client speaks WebSocket itself.
    Raw,
    /// One JSON message per line, as on a server's stdio.
    Jsonl,
}

/// The format that was detected or chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Raw,
    Jsonl,
}

impl Framing {
    /// Reads from `input` until the format is clear or the input ends. The bytes are in `first`, even if this future is
    /// dropped.
    pub async fn wire(self, input: &mut (impl AsyncRead + Unpin), first: &mut BytesMut) -> Wire {
        loop {
            if let Some(wire) = self.told_by(first) {
                return wire;
            }
            // An unreadable stdin counts as ended.
            if input.read_buf(first).await.unwrap_or(0) == 0 {
                return Wire::Raw;
            }
        }
    }

    fn told_by(self, first: &[u8]) -> Option<Wire> {
        match self {
            _ if first.is_empty() => None,
            Self::Raw => Some(Wire::Raw),
            Self::Jsonl => Some(Wire::Jsonl),
            Self::Auto if first.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(first) => None,
            Self::Auto => match first
                .strip_prefix(BYTE_ORDER_MARK)
                .unwrap_or(first)
                .iter()
                .find(|byte| !byte.is_ascii_whitespace())
            {
                Some(b'{' | b'[') => Some(Wire::Jsonl),
                Some(_) => Some(Wire::Raw),
                None => (first.len() > BLANK_BYTES).then_some(Wire::Raw),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn wire(framing: Framing, mut bytes: &[u8]) -> (Wire, BytesMut) {
        let mut first = BytesMut::new();
        (framing.wire(&mut bytes, &mut first).await, first)
    }

    #[actix_rt::test]
    async fn json_is_told_from_everything_else() {
        for bytes in [&b"{\"id\":1"[..], b"[1]", b"\r\n\t {", b"\xef\xbb\xbf{", b"\xef\xbb\xbf \n{"] {
            assert_eq!(wire(Framing::Auto, bytes).await, (Wire::Jsonl, bytes.into()));
        }
        for bytes in [
            &b"GET /rpc HTTP/1.1\r\n"[..],
            b"garbage\n",
            b"\x00\xff",
            b"",
            b"\xef\xbb\xbf",
            b"\xef\xbb\xbfx",
            b"\xef\xbb{",
            b"\n\n",
            &[b' '; 5000],
        ] {
            let (wire, first) = wire(Framing::Auto, bytes).await;
            assert_eq!(wire, Wire::Raw);
            assert!(bytes.starts_with(&first), "nothing is lost or changed");
        }
    }

    #[actix_rt::test]
    async fn the_user_knows_better() {
        assert_eq!(wire(Framing::Raw, b"{}").await.0, Wire::Raw);
        assert_eq!(wire(Framing::Jsonl, b"garbage").await.0, Wire::Jsonl);
    }
}
