//! Complete requests, against a scripted server on loopback.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use tokio::time::timeout;

use super::*;
use crate::clock::Clock;
use crate::environment::Environment;
use crate::network::Network;
use crate::protocol::Secret;
use crate::protocol::model::Role;
use crate::protocol::turn::{CodexErrorInfo, HttpStatus};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a connection gets: bytes, or silence for ever after them.
#[derive(Clone)]
enum Act {
    Bytes(String),
    Hang(String),
}

/// A server: the requests that came, and whether each connection was closed by us.
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    closed: Receiver<()>,
}

impl Server {
    /// Each connection gets the next of `acts`; the last one is repeated.
    fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (ended, closed) = channel();
        let noted = Arc::clone(&requests);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let act = acts[number.min(acts.len() - 1)].clone();
                let (noted, ended) = (Arc::clone(&noted), ended.clone());
                thread::spawn(move || serve(stream.unwrap(), &act, &noted, &ended));
            }
        });
        Self { address, requests, closed }
    }

    fn answering(acts: &[&str]) -> Self {
        Self::start(acts.iter().map(|act| Act::Bytes((*act).to_owned())).collect())
    }

    fn provider(&self, more: &str) -> Arc<Provider> {
        let text = format!("base_url = 'http://{}/v1'\n{more}", self.address);
        Arc::new(Provider { id: "test".to_owned(), ..toml::from_str(&text).unwrap() })
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, act: &Act, noted: &Mutex<Vec<String>>, ended: &std::sync::mpsc::Sender<()>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0_usize) || read == 0 {
            noted.lock().unwrap().push(text);
            break;
        }
    }
    match act {
        Act::Bytes(bytes) => {
            // The client may have heard enough.
            let _ = stream.write_all(bytes.as_bytes());
        }
        Act::Hang(bytes) => {
            stream.write_all(bytes.as_bytes()).unwrap();
            while stream.read(&mut buffer).is_ok_and(|read| read > 0) {}
            let _ = ended.send(());
        }
    }
}

/// An answer of this status.
fn status(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n{body}", body.len())
}

/// A stream of these events, which ends when the connection does.
fn stream(events: &[&str]) -> String {
    let events: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{events}")
}

const DELTA: &str = r#"{"type":"response.output_text.delta","delta":"ha"}"#;
const DONE: &str = r#"{"type":"response.completed","response":{"id":"r"}}"#;

struct SignIn;

impl Credentials for SignIn {
    fn current(&self) -> LocalBoxFuture<'_, Result<Credential, String>> {
        let access = Secret::from("token-before");
        Box::pin(async { Ok(Credential::Chatgpt { access, account_id: Some("acc".to_owned()) }) })
    }

    fn renew(&self, refused: Credential) -> LocalBoxFuture<'_, Result<Credential, String>> {
        assert_eq!(refused.bearer().expose(), "token-before");
        Box::pin(async { Ok(Credential::ApiKey(Secret::from("token-after"))) })
    }
}

fn client(variables: &'static [(&'static str, &'static str)]) -> ModelClient {
    let environment = Environment::from_fn(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    });
    ModelClient::new(ModelSetup {
        settings: ModelSettings::tiny(),
        network: Network::new(&environment),
        environment,
        credentials: Arc::new(SignIn),
        clock: Clock::system(),
        random: || 0.0,
        originator: "test".to_owned(),
        user_agent: "test/1".to_owned(),
    })
}

fn question(said: &str) -> ModelRequest {
    ModelRequest {
        model: "m".to_owned(),
        instructions: "be brief".to_owned(),
        input: vec![HistoryItem::text(Role::User, said)],
        tools: [].into(),
        effort: None,
        summary: None,
        output_schema: None,
        service_tier: None,
        thread_id: "thread-1".to_owned(),
        trace: None,
    }
}

/// What came, in short, and how it ended.
async fn told(mut stream: ModelStream) -> (Vec<String>, Option<ModelFailure>) {
    let mut lines = Vec::new();
    loop {
        let event = timeout(PATIENCE, stream.next()).await.expect("an answer ends");
        lines.push(match event {
            Some(Ok(ModelEvent::TextDelta { item, delta })) => format!("{item} {delta}"),
            Some(Ok(ModelEvent::ItemDone { item, entry, cut })) => {
                format!("{item} {} {}", if cut { "cut" } else { "done" }, entry.said())
            }
            Some(Ok(ModelEvent::Usage(usage))) => format!("usage {}", usage.estimated),
            Some(Ok(ModelEvent::Retrying(retry))) => retry.failure.message,
            Some(Ok(event)) => format!("{event:?}").split([' ', '{']).next().unwrap().to_owned(),
            Some(Err(failure)) => {
                assert!(timeout(PATIENCE, stream.next()).await.unwrap().is_none(), "a failure is the last event");
                return (lines, Some(failure));
            }
            None => return (lines, None),
        });
    }
}

async fn ask(server: &Server, more: &str) -> (Vec<String>, Option<ModelFailure>) {
    told(client(&[]).ask(server.provider(more), question("hi"))).await
}

#[actix_rt::test]
async fn an_answer_comes_whole() {
    let server = Server::answering(&[&stream(&[DELTA, DONE])]);
    let (lines, failure) = ask(&server, "").await;
    assert_eq!(lines, ["Started", "0 ha", "0 done ha", "usage true", "Completed"]);
    assert_eq!(failure, None);
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /v1/responses HTTP/1.1\r\n"), "{request}");
    assert!(!request.to_lowercase().contains("authorization"), "{request}");
}

#[actix_rt::test]
async fn what_was_shown_before_a_break_is_ended_and_the_next_attempt_begins_anew() {
    let server = Server::answering(&[&stream(&[DELTA]), &status("503 Busy", "", ""), &stream(&[DELTA, DONE])]);
    let (lines, failure) = ask(&server, "").await;
    let expected = [
        "Started",
        "0 ha",
        "0 cut ha",
        "Reconnecting... 1/5",
        "Reconnecting... 2/4",
        "Started",
        "1 ha",
        "1 done ha",
        "usage true",
        "Completed",
    ];
    assert_eq!(lines, expected);
    assert_eq!(failure, None);
    let bodies: Vec<String> =
        server.requests().iter().map(|request| request.split_once("\r\n\r\n").unwrap().1.to_owned()).collect();
    assert_eq!((bodies.len(), bodies[0] == bodies[2]), (3, true));
}

#[actix_rt::test]
async fn a_tool_that_was_called_is_not_called_twice() {
    let call = r#"{"type":"response.output_item.done","item":{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}}"#;
    let server = Server::answering(&[&stream(&[call])]);
    let (lines, failure) = ask(&server, "").await;
    assert_eq!(lines, ["Started", "0 done ", "usage true", "Completed"]);
    assert_eq!((failure, server.requests().len()), (None, 1));
}

#[actix_rt::test]
async fn retries_end() {
    let server = Server::answering(&[&status("429 Too Many Requests", "", "slowly")]);
    let (lines, failure) = ask(&server, "request_max_retries = 2").await;
    assert_eq!(lines, ["Reconnecting... 1/2", "Reconnecting... 2/2"]);
    let failure = failure.unwrap();
    assert_eq!(failure.info, CodexErrorInfo::ResponseTooManyFailedAttempts(HttpStatus { http_status_code: Some(429) }));
    assert_eq!(server.requests().len(), 3);
}

#[actix_rt::test]
async fn what_would_fail_again_is_not_retried() {
    for answer in [
        status("400 Bad Request", "", "{}"),
        status("403 Forbidden", "", "{}"),
        status("200 OK", "content-type: text/html\r\n", "<p>Log in"),
        status("307 Temporary Redirect", "location: http://127.0.0.1:1/\r\n", ""),
        stream(&[r#"{"type":"response.completed"}"#]),
    ] {
        let server = Server::answering(&[&answer]);
        let (_, failure) = ask(&server, "").await;
        assert!(failure.is_some(), "{answer}");
        assert_eq!(server.requests().len(), 1, "{answer}");
    }
}

#[actix_rt::test]
async fn a_refused_sign_in_is_renewed_once() {
    let refused = status("401 Unauthorized", "", "{\"error\":{\"message\":\"not token-before\"}}");
    let server = Server::answering(&[&refused, &stream(&[DELTA, DONE])]);
    let (lines, failure) = ask(&server, "requires_openai_auth = true").await;
    assert_eq!((lines.len(), failure), (5, None));
    let requests = server.requests();
    assert!(requests[0].contains("Bearer token-before") && requests[0].contains("chatgpt-account-id: acc"));
    assert!(requests[1].contains("Bearer token-after"), "{}", requests[1]);
    let server = Server::answering(&[&refused]);
    let failure = ask(&server, "requires_openai_auth = true").await.1.unwrap();
    assert_eq!(failure.info, CodexErrorInfo::HttpConnectionFailed(HttpStatus { http_status_code: Some(401) }));
    assert_eq!(server.requests().len(), 2);
}

#[actix_rt::test]
async fn keys_are_in_headers_and_in_nothing_that_is_told() {
    let refused = status("401 Unauthorized", "", "{\"error\":{\"message\":\"sk-12345678 is no key\"}}");
    let server = Server::answering(&[&refused]);
    let provider = server.provider("env_key = 'KEY'\nenv_http_headers = { x-extra = 'EXTRA' }");
    let (_, failure) = told(client(&[("KEY", "sk-12345678"), ("EXTRA", "more")]).ask(provider, question("hi"))).await;
    let failure = failure.unwrap();
    assert!(!failure.message.contains("sk-12345678") && failure.message.contains("is no key"), "{failure}");
    let request = server.requests().remove(0);
    assert!(request.contains("authorization: Bearer sk-12345678") && request.contains("x-extra: more"), "{request}");
    let missing = server.provider("env_key = 'OTHER'\nenv_key_instructions = 'Buy one.'");
    let (_, failure) = told(client(&[]).ask(missing, question("hi"))).await;
    let failure = failure.unwrap();
    assert!(failure.message.contains("OTHER") && failure.message.contains("Buy one."), "{failure}");
}

#[actix_rt::test]
async fn silence_is_noticed_before_and_after_the_head() {
    let idle = "stream_idle_timeout_ms = 50\nrequest_max_retries = 0\nstream_max_retries = 0";
    let silent = Server::start(vec![Act::Hang(String::new())]);
    let (lines, failure) = ask(&silent, idle).await;
    assert!(lines.is_empty() && failure.unwrap().message.contains("did not begin"), "{lines:?}");
    silent.closed.recv_timeout(PATIENCE).unwrap();
    let stopping = Server::start(vec![Act::Hang(stream(&[DELTA]))]);
    let (lines, failure) = ask(&stopping, idle).await;
    assert_eq!(lines, ["Started", "0 ha", "0 cut ha"]);
    assert!(failure.unwrap().message.contains("sent nothing"));
    stopping.closed.recv_timeout(PATIENCE).unwrap();
}

#[actix_rt::test]
async fn dropping_the_stream_closes_the_connection() {
    for answered in [String::new(), stream(&[DELTA])] {
        let server = Server::start(vec![Act::Hang(answered.clone())]);
        let mut stream = client(&[]).ask(server.provider(""), question("hi"));
        if answered.is_empty() {
            assert!(timeout(Duration::from_millis(50), stream.next()).await.is_err());
        } else {
            let started = timeout(PATIENCE, stream.next()).await.unwrap();
            assert!(matches!(started, Some(Ok(ModelEvent::Started))));
        }
        drop(stream);
        // The socket is closed by this arbiter, which must not be blocked meanwhile.
        let closed = actix_rt::task::spawn_blocking(move || server.closed.recv_timeout(PATIENCE)).await.unwrap();
        assert!(closed.is_ok(), "{answered}");
    }
}

#[actix_rt::test]
async fn nobody_there_is_said_in_words() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let text = format!("base_url = 'http://{address}/v1'\nrequest_max_retries = 1");
    let provider = Provider { id: "here".to_owned(), ..toml::from_str(&text).unwrap() };
    let (lines, failure) = told(client(&[]).ask(Arc::new(provider), question("hi"))).await;
    let failure = failure.unwrap();
    assert_eq!(lines, ["Reconnecting... 1/1"]);
    assert!(failure.message.contains("nothing listens") && failure.message.contains("Is here running?"), "{failure}");
}

#[actix_rt::test]
async fn costs_that_do_not_come_are_not_waited_for() {
    let said = r#"{"choices":[{"delta":{"content":"ha"},"finish_reason":"stop"}]}"#;
    let server = Server::start(vec![Act::Hang(stream(&[said]))]);
    let (lines, failure) = ask(&server, "wire_api = 'chat'\nstream_idle_timeout_ms = 50").await;
    assert_eq!(lines, ["Started", "0 ha", "0 done ha", "usage true", "Completed"]);
    assert_eq!(failure, None);
    assert!(server.requests()[0].starts_with("POST /v1/chat/completions"));
}

#[actix_rt::test]
async fn an_answer_without_end_is_ended() {
    let flood = stream(&[&DELTA.replace("ha", &"x".repeat(10_000))]) + &": nothing\n".repeat(200_000);
    let (_, failure) = ask(&Server::answering(&[&flood]), "").await;
    assert!(failure.unwrap().message.contains("answer_bytes"));
}

#[actix_rt::test]
async fn the_models_of_a_provider_are_listed() {
    let list = status("200 OK", "content-type: application/json\r\n", r#"{"data":[{"id":"a"},{"id":"b"}]}"#);
    let server = Server::answering(&[&list, &status("404 Not Found", "", "")]);
    let provider = server.provider("query_params = { v = '1' }");
    let models = client(&[]).models(&provider).await.unwrap();
    assert_eq!(models.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(server.requests()[0].starts_with("GET /v1/models?v=1 HTTP/1.1"), "{}", server.requests()[0]);
    assert!(client(&[]).models(&provider).await.is_err());
}

mod of_echo;
