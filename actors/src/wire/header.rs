//! Frame headers (RFC 6455 5.2).

use bytes::{BufMut, BytesMut};

/// Kind of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// The sender of frames. A client masks its frames, a server never does (RFC 6455 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) opcode: Opcode,
    /// Whether it is the last frame of its message.
    pub(super) last: bool,
    /// Length of the payload as claimed by the peer, in bytes.
    pub(super) length: u64,
    /// Length of the header including the masking key, in bytes.
    pub(super) bytes: usize,
    /// Whether there is a masking key.
    masked: bool,
}

/// The frame violates RFC 6455.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAllowed;

const KEY_BYTES: usize = 4;

/// Maximum payload of a control frame, in bytes (RFC 6455 5.5).
const CONTROL_BYTES: u64 = 125;

impl Header {
    /// Parses the header at the start of `buffer` once its length is known; the masking key may not have arrived yet.
    pub(super) fn read(buffer: &[u8], from: Side) -> Result<Option<Self>, NotAllowed> {
        let [first, second, rest @ ..] = buffer else { return Ok(None) };
        let (last, reserved, opcode) = (first & 0x80 != 0, first & 0x70, opcode(first & 0x0f)?);
        let masked = second & 0x80 != 0;
        if reserved != 0 || masked != (from == Side::Client) {
            return Err(NotAllowed);
        }
        let extended = |bytes: usize| {
            let length = rest.get(..bytes)?.iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
            Some((length, bytes))
        };
        let length = match second & 0x7f {
            126 => extended(2),
            127 => extended(8),
            short => Some((u64::from(short), 0)),
        };
        let Some((length, extra)) = length else { return Ok(None) };
        let key = if masked { KEY_BYTES } else { 0 };
        let header = Self { opcode, last, length, bytes: 2 + extra + key, masked };
        if header.is_control() && (!last || length > CONTROL_BYTES) {
            return Err(NotAllowed);
        }
        Ok(Some(header))
    }

    /// Whether it is a control frame. Control frames may come between the frames of a message and are never fragmented.
    pub(super) fn is_control(&self) -> bool {
        matches!(self.opcode, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }

    /// The masking key; `None` if it has not arrived yet, and all zeros (no change) if the frame is not masked.
    pub(super) fn key(&self, buffer: &[u8]) -> Option<[u8; KEY_BYTES]> {
        if !self.masked {
            return Some([0; KEY_BYTES]);
        }
        buffer.get(self.bytes - KEY_BYTES..self.bytes)?.try_into().ok()
    }
}

/// Writes the header of a server's text message of `length` bytes: a single unmasked frame.
pub(crate) fn write_text_header(length: usize, to: &mut BytesMut) {
    to.put_u8(0x81);
    match length {
        0..126 => to.put_u8(length as u8),
        126..0x1_0000 => {
            to.put_u8(126);
            to.put_u16(length as u16);
        }
        _ => {
            to.put_u8(127);
            to.put_u64(length as u64);
        }
    }
}

fn opcode(nibble: u8) -> Result<Opcode, NotAllowed> {
    Ok(match nibble {
        0x0 => Opcode::Continuation,
        0x1 => Opcode::Text,
        0x2 => Opcode::Binary,
        0x8 => Opcode::Close,
        0x9 => Opcode::Ping,
        0xa => Opcode::Pong,
        _ => return Err(NotAllowed),
    })
}

/// Unmasks `bytes` (RFC 6455 5.3). The first byte was masked with the first byte of `key`.
pub(super) fn unmask(bytes: &mut [u8], key: [u8; KEY_BYTES]) {
    let word_key = u32::from_ne_bytes(key);
    let (words, rest) = bytes.as_chunks_mut::<KEY_BYTES>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ word_key).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_of_a_length() {
        for (bytes, length, size) in [
            (&[0x81, 0x85][..], 5, 6),
            (&[0x81, 0xfe, 0x01, 0x02], 0x102, 8),
            (&[0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0], 1 << 40, 14),
            (&[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], u64::MAX, 14),
        ] {
            let header = Header { opcode: Opcode::Text, last: true, length, bytes: size, masked: true };
            assert_eq!(Header::read(bytes, Side::Client), Ok(Some(header)), "{bytes:x?}");
            assert_eq!(Header::read(&bytes[..bytes.len() - 1], Side::Client), Ok(None), "{bytes:x?}");
        }
    }

    #[test]
    fn a_server_does_not_mask() {
        let bytes = [0x81, 0x01, b'x'];
        let header = Header { opcode: Opcode::Text, last: true, length: 1, bytes: 2, masked: false };
        assert_eq!(Header::read(&bytes, Side::Server), Ok(Some(header)));
        assert_eq!(header.key(&bytes), Some([0; KEY_BYTES]));
        assert_eq!(Header::read(&[0x81, 0x80], Side::Server), Err(NotAllowed));
    }

    #[test]
    fn what_is_written_can_be_read() {
        for (length, size) in [(0, 2), (125, 2), (126, 4), (0xffff, 4), (0x1_0000, 10), (1 << 40, 10)] {
            let mut bytes = BytesMut::new();
            write_text_header(length, &mut bytes);
            let header = Header { opcode: Opcode::Text, last: true, length: length as u64, bytes: size, masked: false };
            assert_eq!(Header::read(&bytes, Side::Server), Ok(Some(header)));
        }
    }

    #[test]
    fn what_rfc_6455_does_not_allow() {
        for (what, bytes) in [
            ("no mask", [0x81, 0x01]),
            ("a reserved bit", [0xc1, 0x80]),
            ("a reserved opcode", [0x83, 0x80]),
            ("a reserved control opcode", [0x8b, 0x80]),
            ("a fragmented ping", [0x09, 0x80]),
        ] {
            assert_eq!(Header::read(&bytes, Side::Client), Err(NotAllowed), "{what}");
        }
        assert_eq!(Header::read(&[0x89, 0xfe, 0, 126], Side::Client), Err(NotAllowed), "a long ping");
    }

    #[test]
    fn the_mask_comes_off_every_length() {
        let key = [1, 2, 3, 4];
        for length in 0..20_u8 {
            let plain: Vec<u8> = (0..length).collect();
            let mut masked: Vec<u8> = plain.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
            unmask(&mut masked, key);
            assert_eq!(masked, plain);
        }
    }
}
