//! Clients over TCP with a signed token (spec: local transports 5.2).

use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::secrets::{self, jwt, jwt_of, now};
use crate::support::server::Server;

const SECRET: &str = "thirty-two bytes, or a few more than that";

fn server(flags: &[&str]) -> Server {
    let home = Home::new();
    let path = secrets::file(&home, "secret", SECRET);
    let mode = ["--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", path.to_str().expect("text")];
    Server::ws(Launch::at(&home).env("RUST_LOG", "trace").args(&mode).args(flags))
}

fn ask(server: &Server, token: &str) -> (u16, String) {
    let bearer = format!("Bearer {token}");
    let response = server.answer_to_upgrade(&[("Authorization", &bearer)]);
    if response.status == 401 {
        let challenge = r#"Bearer realm="codex-app-server", error="invalid_token""#;
        assert_eq!(response.header("www-authenticate"), Some(challenge));
    }
    (response.status, response.body)
}

fn denied(text: &str) -> (u16, String) {
    (401, text.to_owned())
}

#[test]
fn a_valid_token_comes_in_whatever_else_it_says() {
    let server = server(&[]);
    let exp = now() + 60;
    server.client_with_token(&jwt(SECRET, &json!({"exp": exp})));
    for claims in [
        json!({"exp": i64::MAX}),
        json!({"exp": exp, "nbf": null, "iss": "anybody", "aud": ["anything"], "sub": "me", "more": {"deep": []}}),
        json!({"exp": now() - 5, "nbf": now() + 5}),
    ] {
        assert_eq!(ask(&server, &jwt(SECRET, &claims)).0, 101, "{claims}");
    }
    let with_key_id = jwt_of(SECRET, r#"{"alg":"HS256","kid":"1","typ":"other"}"#, &json!({"exp": exp}).to_string());
    assert_eq!(ask(&server, &with_key_id).0, 101);
}

#[test]
fn a_token_that_is_not_signed_as_agreed_is_invalid() {
    let server = server(&[]);
    let claims = json!({"exp": now() + 60}).to_string();
    let good = jwt_of(SECRET, r#"{"alg":"HS256"}"#, &claims);
    let unsigned = good.rsplit_once('.').expect("three parts").0;
    let header = |header: &str| jwt_of(SECRET, header, &claims);
    for token in [
        "not-a-jwt".to_owned(),
        unsigned.to_owned(),
        format!("{unsigned}."),
        format!("{good}="),
        format!("{good}.more"),
        jwt_of("another secret of the same length as ours.", r#"{"alg":"HS256"}"#, &claims),
        header(r#"{"alg":"none"}"#),
        header(r#"{"alg":"HS384"}"#),
        header(r#"{"alg":"HS512"}"#),
        header(r#"{"alg":"RS256"}"#),
        header(r#"{"typ":"JWT"}"#),
        header(r#"{"alg":"HS256","crit":["exp"]}"#),
    ] {
        assert_eq!(ask(&server, &token), denied("invalid websocket jwt"), "{token}");
    }
    assert_eq!(ask(&server, &good).0, 101);
}

#[test]
fn claims_of_a_wrong_type_are_invalid() {
    let server = server(&[]);
    let exp = now() + 60;
    for claims in [
        json!({}),
        json!({"exp": null}),
        json!({"exp": exp.to_string()}),
        json!({"exp": 1e300}),
        json!({"exp": u64::MAX}),
        json!({"exp": exp, "nbf": "now"}),
        json!({"exp": exp, "iss": 1}),
        json!({"exp": exp, "aud": 1}),
        json!({"exp": exp, "aud": ["a", 1]}),
        json!([exp]),
        Value::Null,
    ] {
        assert_eq!(ask(&server, &jwt(SECRET, &claims)), denied("invalid websocket jwt"), "{claims}");
    }
}

#[test]
fn times_may_have_fractions() {
    let server = server(&[]);
    let (soon, past) = (now() as f64 + 60.5, now() as f64 - 60.5);
    assert_eq!(ask(&server, &jwt(SECRET, &json!({"exp": soon, "nbf": past, "iat": past}))).0, 101);
    assert_eq!(ask(&server, &jwt(SECRET, &json!({"exp": past}))), denied("expired websocket jwt"));
}

#[test]
fn times_are_judged_with_the_skew_that_is_allowed() {
    let default = server(&[]);
    let expired = |by: i64| jwt(SECRET, &json!({"exp": now() - by}));
    let not_yet = |by: i64| jwt(SECRET, &json!({"exp": now() + 600, "nbf": now() + by}));
    assert_eq!(ask(&default, &expired(25)).0, 101);
    assert_eq!(ask(&default, &expired(35)), denied("expired websocket jwt"));
    assert_eq!(ask(&default, &not_yet(25)).0, 101);
    assert_eq!(ask(&default, &not_yet(45)), denied("websocket jwt is not valid yet"));
    let strict = server(&["--ws-max-clock-skew-seconds", "0"]);
    assert_eq!(ask(&strict, &expired(2)), denied("expired websocket jwt"));
    assert_eq!(ask(&strict, &not_yet(10)), denied("websocket jwt is not valid yet"));
}

#[test]
fn issuer_and_audience_are_demanded_where_they_are_configured() {
    let server = server(&["--ws-issuer", "us", "--ws-audience", " app "]);
    let token = |claims: Value| {
        let mut all = json!({"exp": now() + 60});
        all.as_object_mut().expect("an object").extend(claims.as_object().expect("an object").clone());
        jwt(SECRET, &all)
    };
    for claims in [json!({"aud": "app"}), json!({"iss": "them", "aud": "app"})] {
        assert_eq!(ask(&server, &token(claims)), denied("websocket jwt issuer mismatch"));
    }
    for aud in [json!(null), json!("other"), json!([]), json!(["other"])] {
        let claims = json!({"iss": "us", "aud": aud});
        assert_eq!(ask(&server, &token(claims)), denied("websocket jwt audience mismatch"));
    }
    for aud in [json!("app"), json!(["other", "app"])] {
        assert_eq!(ask(&server, &token(json!({"iss": "us", "aud": aud}))).0, 101);
    }
}
