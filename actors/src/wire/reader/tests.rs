//! The reader against what a client's codec makes of messages, and against bytes that no codec makes.

use actix_http::ws::{CloseCode, CloseReason as PeersReason, Codec, Item, Message};
use tokio_util::codec::Encoder;

use super::*;

/// What a client's codec makes of `messages`, as bytes.
fn encode(messages: Vec<Message>) -> BytesMut {
    let (mut codec, mut bytes) = (Codec::new().client_mode(), BytesMut::new());
    for message in messages {
        codec.encode(message, &mut bytes).unwrap();
    }
    bytes
}

/// A masked frame with any first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap(), 1, 2, 3, 4];
    frame.extend(payload.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// Reads `bytes`, which arrive `step` at a time, under limits of 1,024 bytes a frame and 2,048 a message.
fn read_in_steps(bytes: &[u8], step: usize, binary: Binary) -> Vec<Incoming> {
    let mut reader = MessageReader::new(&Limits::tiny(), binary);
    let mut read = Vec::new();
    for piece in bytes.chunks(step) {
        reader.push(piece);
        while let Some(incoming) = reader.next() {
            read.push(incoming);
        }
    }
    read
}

/// The same whatever the steps.
fn read(bytes: &[u8]) -> Vec<Incoming> {
    let whole = read_in_steps(bytes, bytes.len(), Binary::Refused);
    for step in [1, 2, 3, 5, 7] {
        assert_eq!(whole, read_in_steps(bytes, step, Binary::Refused), "{step} at a time");
    }
    whole
}

fn text(text: &str) -> Incoming {
    Incoming::Text(text.into())
}

fn part(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

#[test]
fn whole_and_fragmented_messages_with_a_ping_between() {
    let bytes = encode(vec![
        Message::Text("one".into()),
        Message::Continuation(Item::FirstText(part("t"))),
        Message::Ping(part("p")),
        Message::Continuation(Item::Continue(part(""))),
        Message::Continuation(Item::Continue(part("w"))),
        Message::Continuation(Item::Last(part("o"))),
        Message::Pong(part("unasked")),
        Message::Text("".into()),
        Message::Text("three".into()),
    ]);
    let expected = [text("one"), Incoming::Ping(part("p")), text("two"), text(""), text("three")];
    assert_eq!(read(&bytes), expected);
}

#[test]
fn nothing_is_read_after_a_close() {
    let close = |reason| encode(vec![Message::Close(reason), Message::Text("late".into())]);
    let normal = PeersReason { code: CloseCode::Normal, description: Some("bye".into()) };
    assert_eq!(read(&close(Some(normal))), [Incoming::Close(Some(1000))]);
    assert_eq!(read(&close(None)), [Incoming::Close(None)]);
}

#[test]
fn a_close_must_be_well_formed() {
    for (payload, reason) in [
        (&b"\x03"[..], CloseReason::ProtocolError),
        (b"\x03\xed", CloseReason::ProtocolError),
        (b"\xff\xff", CloseReason::ProtocolError),
        (b"\x03\xe8\xff", CloseReason::InvalidText),
    ] {
        assert_eq!(read(&frame(0x88, payload)), [Incoming::Violation(reason)], "{payload:x?}");
    }
}

#[test]
fn binary_is_refused_by_its_header_or_collected() {
    let whole = encode(vec![Message::Binary(part("xy"))]);
    assert_eq!(read(&whole), [Incoming::Binary(Bytes::new())]);
    assert_eq!(read(&whole[..2]), [Incoming::Binary(Bytes::new())]);
    let parts = [Item::FirstBinary(part("x")), Item::Last(part("\u{7f}"))].map(Message::Continuation);
    let fragmented = encode(parts.into());
    assert_eq!(read(&fragmented), [Incoming::Binary(Bytes::new())]);
    for step in [1, 100] {
        assert_eq!(read_in_steps(&whole, step, Binary::Taken), [Incoming::Binary(part("xy"))]);
        assert_eq!(read_in_steps(&fragmented, step, Binary::Taken), [Incoming::Binary(part("x\u{7f}"))]);
        let no_text = frame(0x82, b"\xff\xfe");
        assert_eq!(read_in_steps(&no_text, step, Binary::Taken), [Incoming::Binary(Bytes::from_static(b"\xff\xfe"))]);
    }
}

#[test]
fn sizes_are_judged_by_the_header() {
    let too_big = [Incoming::Violation(CloseReason::MessageTooBig)];
    let fits = "x".repeat(1024);
    assert_eq!(read(&encode(vec![Message::Text(fits.as_str().into())])), [text(&fits)]);
    let header_only = |length: u64| [&[0x81, 0x80 | 127][..], &length.to_be_bytes()].concat();
    assert_eq!(read(&header_only(1025)), too_big);
    assert_eq!(read(&header_only(u64::MAX)), too_big);
}

#[test]
fn a_fragmented_message_is_bounded_as_a_whole() {
    let piece = || part(&"x".repeat(1000));
    let ending_with = |bytes: usize| {
        let last = part(&"x".repeat(bytes));
        encode([Item::FirstText(piece()), Item::Continue(piece()), Item::Last(last)].map(Message::Continuation).into())
    };
    assert_eq!(read(&ending_with(48)), [text(&"x".repeat(2048))]);
    assert_eq!(read(&ending_with(49)), [Incoming::Violation(CloseReason::MessageTooBig)]);
}

#[test]
fn text_is_judged_before_its_frame_is_whole() {
    let invalid = [Incoming::Violation(CloseReason::InvalidText)];
    let bytes = frame(0x81, b"ab\xff and more that never comes");
    assert_eq!(read_in_steps(&bytes[..9], 9, Binary::Refused), invalid);
    assert_eq!(read(&bytes), invalid);
    let surrogate = frame(0x01, b"\xed\xa0");
    assert_eq!(read(&surrogate), invalid, "no later byte can make it a character");
    assert_eq!(read(&frame(0x81, b"\xc3")), invalid, "it ends inside a character");
    let cut = [frame(0x01, b"\xf0\x9f"), frame(0x00, b"\x8d"), frame(0x80, b"\x95!")].concat();
    assert_eq!(read(&cut), [text("\u{1f355}!")]);
}

#[test]
fn frames_that_are_no_frames_end_it() {
    let failed = [Incoming::Violation(CloseReason::ProtocolError)];
    let twice = [frame(0x01, b"a"), frame(0x81, b"b")].concat();
    for bytes in [&[0x81, 0x01, b'x'][..], &frame(0x83, b""), &frame(0x80, b""), &frame(0xc1, b""), &twice] {
        assert_eq!(read(&[bytes, &frame(0x81, b"late")].concat()), failed, "{bytes:x?}");
    }
}

#[test]
fn after_a_refusal_only_the_close_is_heard() {
    let mut bytes = frame(0x81, b"\xff then whatever");
    bytes.extend(frame(0x89, b"ping"));
    bytes.extend(frame(0x81, b"text"));
    bytes.extend([&[0x81, 0xff][..], &(1_u64 << 33).to_be_bytes()].concat());
    assert_eq!(read(&bytes), [Incoming::Violation(CloseReason::InvalidText)]);
    let mut bytes = [&[0x81, 0xfe, 0x08, 0x00, 1, 2, 3, 4][..], &[0; 0x800]].concat();
    bytes.extend(frame(0x88, b"\x03\xf1"));
    assert_eq!(read(&bytes), [Incoming::Violation(CloseReason::MessageTooBig), Incoming::Close(Some(1009))]);
}

#[test]
fn a_frame_that_is_refused_is_not_kept() {
    let mut reader = MessageReader::new(&Limits::tiny(), Binary::Refused);
    reader.push(&[&[0x81, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat());
    assert_eq!(reader.next(), Some(Incoming::Violation(CloseReason::MessageTooBig)));
    for _ in 0..1000 {
        reader.push(&[b'x'; 16 * 1024]);
        assert_eq!(reader.next(), None);
        assert_eq!((reader.buffer.len(), reader.message.capacity()), (0, 0));
    }
    assert!(reader.buffer.capacity() <= KEPT_BUFFER_BYTES);
}

#[test]
fn a_server_does_not_mask_and_sends_a_message_as_one_frame() {
    let long = "x".repeat(2_000);
    let (mut codec, mut bytes) = (Codec::new(), BytesMut::new());
    codec.encode(Message::Text(long.as_str().into()), &mut bytes).unwrap();
    codec.encode(Message::Ping(part("p")), &mut bytes).unwrap();
    bytes.extend_from_slice(&frame(0x81, b"masked"));
    for step in [bytes.len(), 1, 7] {
        let mut reader = MessageReader::of_server(&Limits::tiny());
        let mut read = Vec::new();
        for piece in bytes.chunks(step) {
            reader.push(piece);
            read.extend(std::iter::from_fn(|| reader.next()));
        }
        assert_eq!(read[..2], [text(&long), Incoming::Ping(part("p"))]);
        assert_eq!(read[2..], [Incoming::Violation(CloseReason::ProtocolError)]);
    }
}
