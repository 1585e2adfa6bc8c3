use std::io::Read;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::io::AsyncWriteExt;

use super::backend::header;
use super::*;

async fn refused(answer: &str) -> DialError {
    let test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    let (dialed, ()) = tokio::join!(test.link.send(test.dial()), test.backend.refuse(answer));
    dialed.unwrap().unwrap_err()
}

#[actix_rt::test]
async fn the_upgrade_says_what_it_must_and_nothing_else() {
    let test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    let wire = test.connect().await;
    assert!(wire.head.starts_with("GET /wham/remote/control/server HTTP/1.1\r\n"), "{}", wire.head);
    let mut names: Vec<_> = wire.head.lines().skip(1).filter_map(|line| line.split_once(": ")).collect();
    names.sort_unstable();
    names.retain(|(name, _)| !matches!(*name, "host" | "sec-websocket-key"));
    assert_eq!(
        names,
        [
            ("authorization", "Bearer secret"),
            ("connection", "Upgrade"),
            ("sec-websocket-version", "13"),
            ("upgrade", "websocket"),
            ("x-codex-installation-id", "f1e4eaa2"),
            ("x-codex-name", "dm0="),
            ("x-codex-protocol-version", "3"),
            ("x-codex-server-id", "srv_1"),
        ]
    );
    assert!(header(&wire.head, "host").is_some_and(|host| host.starts_with("127.0.0.1:")));
}

#[actix_rt::test]
async fn a_refusal_is_told_with_its_reasons_but_not_all_of_its_body() {
    let error = refused(
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 2\r\nx-oai-request-id: r1\r\ncf-ray: c1\r\n\
         content-length: 20\r\n\r\n01234567890123456789",
    );
    let expected = DialError::Refused {
        status: 429,
        retry_after: Some("2".into()),
        body: "0123456789012345".into(),
        request_id: Some("r1".into()),
        cf_ray: Some("c1".into()),
    };
    assert_eq!(error.await, expected);
}

#[actix_rt::test]
async fn a_refusal_that_repeats_the_token_is_told_without_it() {
    match refused("HTTP/1.1 403 Forbidden\r\ncontent-length: 10\r\n\r\nno: secret").await {
        DialError::Refused { body, .. } => assert_eq!(body, "no: <redacted>"),
        other => panic!("{other:?}"),
    }
}

#[actix_rt::test]
async fn a_redirect_is_a_refusal_and_a_body_may_come_in_chunks() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    match refused(answer).await {
        DialError::Refused { status: 302, body, retry_after: None, .. } => assert_eq!(body, "abcde"),
        other => panic!("{other:?}"),
    }
}

#[actix_rt::test]
async fn a_refusal_whose_body_stalls_is_a_refusal() {
    let test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    let stalling = async {
        let (mut stream, _) = test.backend.request().await;
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 9\r\n\r\nabc").await.unwrap();
        tokio::time::pause();
        stream
    };
    let (dialed, _held) = tokio::join!(test.link.send(test.dial()), stalling);
    match dialed.unwrap() {
        Err(DialError::Refused { status: 403, body, .. }) => assert_eq!(body, "abc"),
        other => panic!("{other:?}"),
    }
}

#[actix_rt::test]
async fn an_upgrade_that_answers_nobody_is_no_socket() {
    let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    for rest in ["\r\n", "Sec-WebSocket-Accept: x\r\n\r\n"] {
        assert!(matches!(refused(&format!("{head}{rest}")).await, DialError::Failed(_)));
    }
}

#[actix_rt::test]
async fn nobody_there_is_told_without_the_token() {
    let test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    for url in ["ws://127.0.0.1:1/x", "ws://[::1]:1/x", "wss://127.0.0.1:1/x", "nonsense", "/x"] {
        let dial = Dial { url: url.into(), ..test.dial() };
        assert!(!format!("{dial:?}").contains("secret"));
        match test.link.send(dial).await.unwrap() {
            Err(DialError::Failed(why)) => assert!(!why.contains("secret"), "{why}"),
            other => panic!("{url}: {other:?}"),
        }
    }
}

#[actix_rt::test]
async fn a_backend_that_says_nothing_is_given_up_after_thirty_seconds() {
    let test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    tokio::time::pause();
    let (dialed, _held) = tokio::join!(test.link.send(test.dial()), test.backend.request());
    assert_eq!(dialed.unwrap().unwrap_err(), DialError::TimedOut);
}

#[actix_rt::test]
async fn a_dial_under_way_ends_when_it_is_hung_up() {
    let mut test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    let dialing = test.link.send(test.dial());
    let hang_up = async {
        let held = test.backend.request().await;
        test.link.send(HangUp).await.unwrap();
        held
    };
    let (dialed, _held) = tokio::join!(dialing, hang_up);
    assert!(matches!(dialed.unwrap(), Err(DialError::Failed(_))));
    assert!(test.lost.try_recv().is_err());
}

#[actix_rt::test]
async fn a_second_dial_takes_the_place_of_the_first() {
    let mut test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    let mut first = test.connect().await;
    let mut second = test.connect().await;
    first.dropped().await;
    second.initialize("c").await;
    second.answer("c", 0).await;
    assert!(test.lost.try_recv().is_err(), "it did not end by itself");
}

/// Accepts one connection on a thread of its own, with a certificate that nobody vouches for. What the peer said
/// inside.
fn self_signed_backend() -> (u16, std::thread::JoinHandle<std::io::Result<String>>) {
    let certificate = include_bytes!("self_signed.der").as_slice().into();
    let key = PrivatePkcs8KeyDer::from(include_bytes!("self_signed.key.der").as_slice());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        let (socket, _) = listener.accept()?;
        socket.set_read_timeout(Some(SOON))?;
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), socket);
        let mut said = String::new();
        stream.read_to_string(&mut said)?;
        Ok(said)
    });
    (port, serving)
}

#[actix_rt::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_before_a_token_is_shown() {
    let test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    let (port, serving) = self_signed_backend();
    let dial = Dial { url: format!("wss://localhost:{port}/x"), ..test.dial() };
    let DialError::Failed(why) = test.link.send(dial).await.unwrap().unwrap_err() else { panic!("refused") };
    assert!(why.contains("invalid peer certificate"), "{why}");
    let said = serving.join().unwrap();
    assert!(said.is_err(), "{said:?}");
}
