use super::*;
use crate::protocol::turn::{CodexErrorInfo as Info, HttpStatus};

fn refused(status: u16, body: &str) -> ModelFailure {
    refused_by("name = 'P'\nbase_url = 'http://h/v1'", status, body)
}

fn refused_by(provider: &str, status: u16, body: &str) -> ModelFailure {
    let provider = Provider { id: "p".to_owned(), ..toml::from_str(provider).unwrap() };
    let status = StatusCode::from_u16(status).unwrap();
    let refusal = Refusal { status, retry_after: None, body: body.as_bytes() };
    ModelFailure::refused(&provider, "http://h/v1/responses", &refusal)
}

fn error(code: &str, message: &str) -> String {
    format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#)
}

fn failed(code: &str, message: &str) -> ModelFailure {
    let error = ProviderError::read(error(code, message).as_bytes()).unwrap();
    ModelFailure::of_stream(&Provider { id: "p".into(), ..Provider::default() }, StreamFault::Failed(error))
}

#[test]
fn every_status_has_its_meaning() {
    let http = |status| Info::HttpConnectionFailed(HttpStatus { http_status_code: Some(status) });
    let expected = [
        (400, Info::Other, Retry::Never),
        (401, http(401), Retry::WithNewToken),
        (403, http(403), Retry::WithNewToken),
        (404, http(404), Retry::Never),
        (408, http(408), Retry::Later),
        (413, http(413), Retry::Never),
        (429, Info::ResponseTooManyFailedAttempts(HttpStatus { http_status_code: Some(429) }), Retry::Later),
        (500, Info::InternalServerError, Retry::UnlessRepeated),
        (502, http(502), Retry::Later),
        (503, http(503), Retry::Later),
        (529, http(529), Retry::Later),
    ];
    for (status, info, retry) in expected {
        let failure = refused(status, &error("x", "the text"));
        assert_eq!((&failure.info, failure.retry), (&info, retry), "{status}");
        assert!(failure.message.starts_with("P answered ") && failure.message.contains("the text"), "{failure}");
    }
}

#[test]
fn codes_say_more_than_a_status() {
    let info = |status, code: &str| refused(status, &error(code, "m")).info;
    assert_eq!(info(400, "context_length_exceeded"), Info::ContextWindowExceeded);
    assert_eq!(info(404, "model_not_found"), Info::ModelNotFound);
    assert_eq!(info(429, "insufficient_quota"), Info::UsageLimitExceeded);
    assert_eq!(info(429, "usage_limit_reached"), Info::UsageLimitExceeded);
    assert_eq!(info(503, "server_is_overloaded"), Info::ServerOverloaded);
    assert_eq!(refused(404, r#"{"error":"model \"x\" not found, try pulling it first"}"#).info, Info::ModelNotFound);
    for code in ["insufficient_quota", "context_length_exceeded", "model_not_found"] {
        assert_eq!(refused(429, &error(code, "m")).retry, Retry::Never);
    }
    let stream = |code: &str| (failed(code, "m").info, failed(code, "m").retry);
    assert_eq!(stream("context_length_exceeded"), (Info::ContextWindowExceeded, Retry::Never));
    assert_eq!(stream("rate_limit_exceeded"), (Info::RateLimitExceeded, Retry::Later));
    assert_eq!(stream("server_is_overloaded"), (Info::ServerOverloaded, Retry::Later));
    assert_eq!(stream("cyber_policy"), (Info::CyberPolicy, Retry::Never));
    assert_eq!(stream("invalid_prompt"), (Info::Other, Retry::Never));
    assert_eq!(stream("server_error"), (Info::Other, Retry::Later));
    assert_eq!(stream("500"), (Info::InternalServerError, Retry::UnlessRepeated));
    let waiting = failed("rate_limit_exceeded", "Please try again in 1.5s.");
    assert_eq!(waiting.retry, Retry::After(Duration::from_millis(1500)));
}

#[test]
fn a_conversation_that_is_too_long_is_recognized_whatever_the_words() {
    let recorded = r#"{"error":{"code":400,"message":"request (4031 tokens) exceeds the available context size (2048 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":4031,"n_ctx":2048}}"#;
    let failure = refused(400, recorded);
    assert_eq!((failure.info, failure.context_window), (Info::ContextWindowExceeded, Some(2048)));
    for message in [
        "This model's maximum context length is 8192 tokens.",
        "the request exceeds the available context size",
        "Prompt is too long",
    ] {
        assert_eq!(refused(400, &error("", message)).info, Info::ContextWindowExceeded, "{message}");
    }
    assert_eq!(
        refused(401, &error("", "maximum context length")).info,
        Info::HttpConnectionFailed(HttpStatus { http_status_code: Some(401) })
    );
}

#[test]
fn a_failure_says_what_to_do() {
    let says = |provider: &str, status, what: &str| {
        let failure = refused_by(provider, status, "<html><title>Nothing here</title></html>");
        assert!(failure.message.contains(what) && failure.message.contains("Nothing here"), "{failure}");
        assert!(!failure.message.contains('<'), "{failure}");
    };
    says("env_key = 'MY_KEY'", 401, "MY_KEY");
    says("requires_openai_auth = true", 403, "Sign in");
    says("", 401, "model_providers.p.env_key");
    says("wire_api = 'chat'", 404, r#"wire_api = "responses""#);
    says("", 404, r#"wire_api = "chat""#);
    says("", 302, "http://h/v1/responses");
}

#[test]
fn streams_that_are_no_answers_say_so() {
    let provider = Provider { id: "p".into(), ..Provider::default() };
    let message = |fault| ModelFailure::of_stream(&provider, fault).message;
    assert!(message(StreamFault::Broken).starts_with("stream disconnected before completion: p "));
    assert!(message(StreamFault::NoStream("<html><p>Log in".into())).contains("Log in"));
    assert!(message(StreamFault::OtherWire(WireApi::Chat)).contains(r#"model_providers.p.wire_api = "chat""#));
    assert!(message(StreamFault::Incomplete("content_filter".into())).contains("content_filter"));
    assert!(message(StreamFault::Empty).contains("empty"));
    let json = ModelFailure::no_stream(&provider, "http://h", "application/json", error("x", "m").as_bytes());
    assert!(json.message.contains('m') && json.retry == Retry::Later, "{json}");
}

#[test]
fn what_is_told_while_another_attempt_follows() {
    let told = refused(503, &error("x", "busy")).while_retried(2, 5);
    assert_eq!(told.message, "Reconnecting... 2/5");
    assert_eq!(told.info, Info::ResponseStreamDisconnected(HttpStatus { http_status_code: Some(503) }));
    assert!(told.details.unwrap().contains("busy"));
}

#[test]
fn secrets_are_not_repeated() {
    let failure = refused(401, &error("invalid_api_key", "Incorrect API key provided: sk-12345678"));
    let told = failure.redacted(&[Secret::from("sk-12345678")]);
    assert!(!told.message.contains("12345678") && told.message.contains("Incorrect"), "{told}");
    let told = refused(503, "sk-12345678").while_retried(1, 1).redacted(&[Secret::from("sk-12345678")]);
    assert!(!told.details.unwrap().contains("12345678"));
}
