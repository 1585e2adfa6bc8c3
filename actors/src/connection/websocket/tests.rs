//! Tests of the connection without a socket: bytes in, bytes of the response body out.

use std::time::Duration;

use actix_http::ws::{Codec, Frame, Item};
use actix_rt::time::timeout;
use actix_web::body::to_bytes;
use actix_web::error::PayloadError;
use actix_web::{FromRequest, test::TestRequest};
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use futures_util::{StreamExt as _, stream};
use tokio_util::codec::{Decoder, Encoder};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::limits::Limits;
use crate::start::tests::{cramped, hub};
use crate::wire::reader::Binary;

/// Echoes each message, and panics on request.
struct Echo;

impl Application for Echo {
    const BINARY: Binary = Binary::Taken;

    fn text(&self, text: ByteString) -> Response {
        assert_ne!(text, "panic");
        Response::Write(Message::Text(text))
    }

    fn binary(&self, bytes: Bytes) -> Response {
        Response::Write(Message::Binary(bytes))
    }
}

/// Everything that the server writes to a peer that sends `messages` and then, if it `leaves`, stops sending.
async fn exchange(application: Option<Echo>, limits: Limits, messages: Vec<Message>, leaves: bool) -> Vec<Frame> {
    let (hub, _remains) = hub(limits);
    let (mut codec, mut bytes) = (Codec::new().client_mode(), BytesMut::new());
    for message in messages {
        codec.encode(message, &mut bytes).unwrap();
    }
    let sent = stream::iter([Ok::<_, PayloadError>(bytes.freeze())]);
    let sent = if leaves { sent.left_stream() } else { sent.chain(stream::pending()).right_stream() };
    let mut payload = actix_http::Payload::from(Box::pin(sent) as actix_http::BoxedPayloadStream);
    let payload = Payload::from_request(&TestRequest::get().to_http_request(), &mut payload).await.unwrap();
    let kill = Kill::Token(CancellationToken::new());
    let handshake = HttpResponse::SwitchingProtocols();
    let response = match application {
        Some(echo) => serve_application(echo, handshake, payload, &hub, kill),
        None => serve(handshake, payload, &hub, kill, Pass::UNLIMITED, (ConnectionOrigin::Tcp, String::new())),
    };
    let body = timeout(Duration::from_secs(60), to_bytes(response.into_body())).await.expect("the body ends").unwrap();
    let (mut codec, mut bytes) = (Codec::new().client_mode().max_size(1 << 20), BytesMut::from(body));
    let mut frames = Vec::new();
    while let Some(frame) = codec.decode(&mut bytes).unwrap() {
        frames.push(frame);
    }
    frames
}

fn close(code: u16) -> Message {
    Message::Close(Some(ws::CloseReason { code: code.into(), description: Some("bye".to_owned()) }))
}

fn code(frames: &[Frame]) -> Option<u16> {
    match frames.last() {
        Some(Frame::Close(Some(reason))) => Some(reason.code.into()),
        _ => None,
    }
}

#[actix_rt::test]
async fn a_panic_closes_its_connection_and_nothing_is_taken_after_it() {
    let messages =
        vec![Message::Text("a".into()), Message::Text("panic".into()), Message::Text("b".into()), close(1000)];
    let before = crate::panics::count();
    let frames = exchange(Some(Echo), cramped(), messages, false).await;
    assert_eq!((frames.len(), code(&frames)), (2, Some(CloseReason::Failed.code())), "{frames:?}");
    assert!(crate::panics::count() > before);
}

#[actix_rt::test]
async fn a_goodbye_is_answered_with_its_code() {
    for number in [1000, 1001, 3000, 4999] {
        let frames = exchange(Some(Echo), cramped(), vec![Message::Text("a".into()), close(number)], false).await;
        assert_eq!((frames.len(), code(&frames)), (2, Some(number)));
        assert!(matches!(&frames[1], Frame::Close(Some(reason)) if reason.description.is_none()));
    }
    let frames = exchange(Some(Echo), cramped(), vec![Message::Close(None)], false).await;
    assert_eq!(frames, [Frame::Close(None)]);
}

#[actix_rt::test]
async fn who_does_not_close_in_turn_is_waited_for_and_not_for_ever() {
    let frames = exchange(None, cramped(), vec![Message::Binary("x".into())], false).await;
    assert!(
        matches!(&frames[0], Frame::Text(error) if error.starts_with(b"{\"error\":{\"code\":-32600")),
        "{frames:?}"
    );
    assert_eq!((frames.len(), code(&frames)), (2, Some(1003)));
}

#[actix_rt::test]
async fn malformed_messages_over_the_limit_close() {
    let limits = Limits { malformed_messages: 2, ..cramped() };
    let mut messages = vec![Message::Text(" ".into()), Message::Text(r#"{"id":1,"method":"no/such"}"#.into())];
    messages.extend(["x", "[]", "{}", "never read"].map(|text| Message::Text(text.into())));
    let frames = exchange(None, limits, messages, true).await;
    assert_eq!((frames.len(), code(&frames)), (5, Some(1008)), "{frames:?}");
}

#[actix_rt::test]
async fn what_a_half_closed_peer_asked_is_still_answered() {
    let item = |item| Message::Continuation(item);
    let request = Bytes::from_static(br#"{"id":1,"method":"thread/loaded/list"}"#);
    let messages = vec![item(Item::FirstText(request.slice(..9))), item(Item::Last(request.slice(9..)))];
    let frames = exchange(None, cramped(), messages, true).await;
    assert!(matches!(frames.as_slice(), [Frame::Text(answer)] if answer.starts_with(b"{\"error\"")), "{frames:?}");
}

#[actix_rt::test]
async fn a_large_message_is_written_whole_and_what_follows_it_too() {
    let text = |length: usize| Message::Text("x".repeat(length).into());
    for length in [32 * 1024, 32 * 1024 + 1, 64 * 1024, 200_000] {
        let limits = Limits { websocket_frame_bytes: 1 << 20, connection_unread_bytes: 1 << 20, ..cramped() };
        let messages = vec![text(1), text(length), text(2), close(1000)];
        let frames = exchange(Some(Echo), limits, messages, false).await;
        let lengths =
            frames.iter().filter_map(|frame| if let Frame::Text(text) = frame { Some(text.len()) } else { None });
        assert_eq!((lengths.collect::<Vec<_>>(), code(&frames)), (vec![1, length, 2], Some(1000)));
    }
}
