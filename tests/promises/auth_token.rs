//! Clients over TCP with a capability token (spec: local transports 5.2).

use crate::support::home::Home;
use crate::support::http;
use crate::support::process::Launch;
use crate::support::secrets::{self, sha256_hex, used};
use crate::support::server::Server;

const TOKEN: &str = "correct-horse-battery-staple";

fn with_file(home: &Home) -> Server {
    let path = secrets::file(home, "token", TOKEN);
    let path = path.to_str().expect("text");
    let flags = ["--ws-auth", "capability-token", "--ws-token-file", path];
    Server::ws(Launch::at(home).env("RUST_LOG", "trace").args(&flags))
}

fn with_digest() -> Server {
    let digest = format!(" {} ", sha256_hex(TOKEN).to_uppercase());
    let flags = ["--ws-auth", "capability-token", "--ws-token-sha256", &digest];
    Server::ws(Launch::new().env("RUST_LOG", "trace").args(&flags))
}

#[test]
fn whoever_knows_the_token_comes_in() {
    for server in [with_file(&Home::new()), with_digest()] {
        server.client_with_token(TOKEN);
        for value in ["Bearer ", "bearer ", "BEARER   "] {
            let value = format!("{value}{TOKEN} ");
            assert_eq!(server.answer_to_upgrade(&[("Authorization", &value)]).status, 101, "{value}");
        }
    }
}

#[test]
fn whoever_does_not_is_told_why() {
    let server = with_file(&Home::new());
    let realm = r#"Bearer realm="codex-app-server""#;
    let right = format!("Bearer {TOKEN}");
    let invalid_header = ("invalid authorization header", Some("invalid_request"));
    let invalid_token = ("invalid websocket bearer token", Some("invalid_token"));
    let one = |value: &str| vec![("Authorization", used(value))];
    let cases = [
        (vec![], ("missing websocket bearer token", None)),
        (one(&format!("Bearer {TOKEN}x")), invalid_token),
        (one("Bearer another token altogether"), invalid_token),
        (one(&format!("Bearer {}", TOKEN.to_uppercase())), invalid_token),
        (one(&format!("Basic {TOKEN}")), invalid_header),
        (one(&format!("Bearer\t{TOKEN}")), invalid_header),
        (one(TOKEN), invalid_header),
        (one(&format!("Bearer {TOKEN}é")), invalid_header),
        (one(&format!("Bearer {}", "long".repeat(2049))), invalid_header),
        (vec![("Authorization", String::new())], invalid_header),
        (vec![("Authorization", "Bearer".to_owned())], invalid_header),
        (vec![("Authorization", right.clone()), ("Authorization", right.clone())], invalid_header),
        (vec![("Authorization", right), ("Authorization", "Bearer x".to_owned())], invalid_header),
        (vec![("Sec-WebSocket-Protocol", TOKEN.to_owned())], ("missing websocket bearer token", None)),
    ];
    for (headers, (body, code)) in cases {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let response = server.answer_to_upgrade(&headers);
        assert_eq!((response.status, response.body.as_str()), (401, body), "{headers:?}");
        assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
        let challenge = code.map_or(realm.to_owned(), |code| format!(r#"{realm}, error="{code}""#));
        assert_eq!(response.header("www-authenticate"), Some(challenge.as_str()), "{headers:?}");
    }
    server.client_with_token(TOKEN);
}

#[test]
fn a_token_in_the_address_is_not_read() {
    let server = with_digest();
    let text = http::request("GET", &format!("/?token={TOKEN}&access_token={TOKEN}"), http::UPGRADE);
    let response = http::exchange(&mut server.tcp_stream(), &text).expect("an answer");
    assert_eq!((response.status, response.body.as_str()), (401, "missing websocket bearer token"));
}

#[test]
fn everything_else_about_a_request_is_judged_first_and_probes_need_no_token() {
    let server = with_digest();
    let ask = |path: &str, headers: &[(&str, &str)]| {
        http::exchange(&mut server.tcp_stream(), &http::request("GET", path, headers)).expect("an answer").status
    };
    assert_eq!(ask("/", &[("Host", "localhost")]), 400, "no upgrade at all");
    assert_eq!(ask("/", &http::upgrade_but("Sec-WebSocket-Version", None)), 400);
    assert_eq!(ask("/", &http::upgrade_but("Host", Some("evil.example"))), 421);
    for path in ["/readyz", "/healthz"] {
        assert_eq!(ask(path, &[("Host", "localhost")]), 200);
    }
    let bearer = format!("Bearer {TOKEN}");
    let with_origin = [("Origin", "http://localhost"), ("Authorization", bearer.as_str())];
    assert_eq!(server.answer_to_upgrade(&with_origin).status, 403, "a web page, whatever it knows");
}
