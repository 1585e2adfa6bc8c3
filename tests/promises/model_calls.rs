//! Whatever a provider does, a question to it ends in an answer or in a failure that says what happened, on both wires.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use app_server_actors::clock::Clock;
use app_server_actors::environment::Environment;
use app_server_actors::limits::Milliseconds;
use app_server_actors::model::{
    Credential, Credentials, HistoryItem, ModelClient, ModelEvent, ModelFailure, ModelRequest, ModelSetup, Provider,
    ToolSpec,
};
use app_server_actors::network::Network;
use app_server_actors::protocol::model::Role;
use codex_app_server::settings::Effective;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::model::{End, Gate, Model, Reply, Wire};

struct Nobody;

impl Credentials for Nobody {
    fn current(&self) -> LocalBoxFuture<'_, Result<Credential, String>> {
        Box::pin(async { Err("nobody is signed in".to_owned()) })
    }

    fn renew(&self, _: Credential) -> LocalBoxFuture<'_, Result<Credential, String>> {
        self.current()
    }
}

/// Runs on an arbiter, as a turn does.
fn run<T>(test: impl Future<Output = T>) -> T {
    actix_rt::System::new().block_on(test)
}

fn client() -> ModelClient {
    let environment = Environment::from_fn(|_| None);
    let mut settings = Effective::built_in().and_then(|settings| settings.settings()).expect("they are built in").model;
    settings.retry_first_milliseconds = Milliseconds(1);
    settings.retry_most_milliseconds = Milliseconds(1);
    ModelClient::new(ModelSetup {
        settings,
        network: Network::new(&environment),
        environment,
        credentials: Arc::new(Nobody),
        clock: Clock::system(),
        random: || 0.0,
        originator: "test".to_owned(),
        user_agent: "test/1".to_owned(),
    })
}

fn provider(base_url: &str, wire: Wire, more: &str) -> Arc<Provider> {
    let text = format!("base_url = '{base_url}'\nwire_api = '{}'\n{more}", wire.word());
    Arc::new(toml::from_str(&text).expect("a provider"))
}

fn question() -> ModelRequest {
    let tool = ToolSpec {
        name: "look".to_owned(),
        description: "Looks.".to_owned(),
        parameters: serde_json::value::to_raw_value(&json!({"type": "object"})).expect("JSON"),
    };
    ModelRequest {
        model: "loopback".to_owned(),
        instructions: "be brief".to_owned(),
        input: vec![HistoryItem::text(Role::User, "hello")],
        tools: [tool].into(),
        effort: None,
        summary: None,
        output_schema: None,
        service_tier: None,
        thread_id: "thread".to_owned(),
        trace: None,
    }
}

/// What a question has brought.
#[derive(Default)]
struct Outcome {
    said: Vec<String>,
    calls: Vec<(String, String)>,
    retries: u32,
    completed: bool,
    failure: Option<ModelFailure>,
}

impl Outcome {
    /// The failure as programs see it.
    fn info(&self) -> Value {
        let failure = self.failure.as_ref().expect("it failed");
        serde_json::to_value(&failure.info).expect("JSON")
    }
}

async fn ask(client: &ModelClient, provider: Arc<Provider>, request: ModelRequest) -> Outcome {
    let mut stream = client.ask(provider, request);
    let mut outcome = Outcome::default();
    while let Some(event) = timeout(PATIENCE, stream.next()).await.expect("no question waits for ever") {
        match event {
            Ok(ModelEvent::ItemDone { entry, .. }) => match &entry {
                HistoryItem::FunctionCall { name, arguments, .. } => {
                    outcome.calls.push((name.clone(), arguments.clone()));
                }
                _ => outcome.said.push(entry.said()),
            },
            Ok(ModelEvent::Retrying(_)) => outcome.retries += 1,
            Ok(ModelEvent::Completed) => outcome.completed = true,
            Ok(_) => {}
            Err(failure) => outcome.failure = Some(failure),
        }
    }
    assert_ne!(outcome.completed, outcome.failure.is_some(), "it ends in one way");
    outcome
}

#[test]
fn every_failure_says_what_it_is() {
    let http = |status: u16| json!({"httpConnectionFailed": {"httpStatusCode": status}});
    let said = || Reply::text("half of it");
    let cases: Vec<(&str, Reply, Value, bool)> = vec![
        // What, the reply, the codexErrorInfo, and whether it was tried again.
        ("400", Reply::error(400, "bad", "no"), json!("other"), false),
        ("401", Reply::error(401, "invalid_api_key", "no"), http(401), false),
        ("403", Reply::error(403, "forbidden", "no"), http(403), false),
        ("404", Reply::status(404), http(404), false),
        ("unknown model", Reply::error(404, "model_not_found", "no"), json!("modelNotFound"), false),
        ("413", Reply::status(413), http(413), false),
        ("429", Reply::status(429), json!({"responseTooManyFailedAttempts": {"httpStatusCode": 429}}), true),
        ("quota", Reply::error(429, "insufficient_quota", "no"), json!("usageLimitExceeded"), false),
        ("500", Reply::status(500), json!("internalServerError"), true),
        ("502", Reply::status(502), http(502), true),
        ("overloaded", Reply::error(503, "server_is_overloaded", "no"), json!("serverOverloaded"), true),
        ("context", Reply::error(400, "context_length_exceeded", "no"), json!("contextWindowExceeded"), false),
        ("a page", Reply::page("Please log in"), json!("other"), false),
        ("JSON", Reply::json(&json!({"hello": 1})), json!("other"), false),
        ("closed", Reply::close(), json!({"httpConnectionFailed": {"httpStatusCode": null}}), true),
        ("reset", Reply::reset(), json!({"httpConnectionFailed": {"httpStatusCode": null}}), true),
        (
            "no HTTP",
            Reply::raw("\u{1}nonsense\r\n\r\n"),
            json!({"httpConnectionFailed": {"httpStatusCode": null}}),
            true,
        ),
        ("cut", said().end(End::Cut), json!("other"), true),
        ("reset in the midst", said().end(End::Reset), json!("other"), true),
        ("unfinished", said().end(End::Unfinished), json!("other"), true),
        ("too long", said().end(End::Incomplete("max_output_tokens".into())), json!("other"), false),
        ("filtered", said().end(End::Incomplete("content_filter".into())), json!("other"), false),
        ("failed", said().end(End::Failed("server_error".into(), "no".into())), json!("other"), true),
        ("rate", said().end(End::Failed("slow_down".into(), "no".into())), json!("rateLimitExceeded"), true),
        ("silent", Reply::silence(), json!("other"), true),
        ("silent in the midst", said().end(End::Hang), json!("other"), true),
        ("empty", Reply::new(), json!("other"), false),
        ("garbage", Reply::new().and_event("{\"type\":"), json!("other"), true),
    ];
    run(async {
        let client = client();
        for wire in Wire::ALL {
            for (what, reply, info, retried) in &cases {
                let model = Model::start();
                model.always(reply.clone());
                let limits = "request_max_retries = 1\nstream_max_retries = 1\nstream_idle_timeout_ms = 300";
                let outcome = ask(&client, provider(&model.base_url(), wire, limits), question()).await;
                assert_eq!(outcome.info(), *info, "{what}, {wire:?}: {:?}", outcome.failure);
                assert_eq!(outcome.retries, u32::from(*retried), "{what}, {wire:?}");
                assert_eq!(model.requests().len(), 1 + usize::from(*retried), "{what}, {wire:?}");
            }
        }
    });
}

#[test]
fn nothing_that_listens_is_a_failure_too() {
    run(async {
        let outcome = ask(&client(), provider(&Model::nowhere(), Wire::Chat, ""), question()).await;
        assert_eq!(outcome.info(), json!({"httpConnectionFailed": {"httpStatusCode": null}}));
        assert_eq!(outcome.retries, 4);
        let nowhere = provider("http://name.invalid/v1", Wire::Responses, "request_max_retries = 0");
        assert!(ask(&client(), nowhere, question()).await.failure.is_some());
    });
}

#[test]
fn an_answer_comes_through_whole_and_so_does_the_question() {
    run(async {
        for wire in Wire::ALL {
            let model = Model::start();
            let answer = Reply::new().and_thought("hm").and_text("I look").and_call("look", json!({"at": 1}));
            model.script([answer.and_call("look", json!({"at": 2}))]);
            let traced = ModelRequest { trace: Some("00-01-02-01".to_owned()), ..question() };
            let outcome = ask(&client(), provider(&model.base_url(), wire, ""), traced).await;
            assert_eq!(outcome.said, ["", "I look"], "{wire:?}");
            let calls = [1, 2].map(|at| ("look".to_owned(), format!("{{\"at\":{at}}}")));
            assert_eq!(outcome.calls, calls, "{wire:?}");
            let asked = model.requests().remove(0);
            let said = [("system", "be brief"), ("user", "hello")].map(|(role, text)| (role.into(), text.into()));
            assert_eq!(asked.messages(), said, "{wire:?}");
            assert_eq!(asked.tools(), ["look"]);
            assert_eq!((asked.body["stream"].as_bool(), asked.http.header("authorization")), (Some(true), None));
            assert_eq!(asked.http.header("traceparent"), Some("00-01-02-01"));
        }
    });
}

#[test]
fn what_was_shown_is_kept_and_a_second_attempt_brings_the_rest() {
    run(async {
        for wire in Wire::ALL {
            let model = Model::start();
            model.script([Reply::text("half of").end(End::Cut), Reply::status(503), Reply::text("all of it")]);
            let outcome = ask(&client(), provider(&model.base_url(), wire, ""), question()).await;
            assert_eq!(outcome.said, ["half of", "all of it"], "{wire:?}");
            assert_eq!((outcome.retries, outcome.completed, model.unused()), (2, true, 0));
        }
    });
}

#[test]
fn a_provider_that_says_when_is_asked_then() {
    run(async {
        let model = Model::start();
        model.script([Reply::status(429).header("retry-after", "1"), Reply::text("now")]);
        let began = std::time::Instant::now();
        let outcome = ask(&client(), provider(&model.base_url(), Wire::Chat, ""), question()).await;
        assert!(outcome.completed && began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    });
}

#[test]
fn who_does_not_listen_any_more_closes_the_connection_at_once() {
    run(async {
        for wire in Wire::ALL {
            let (model, gate) = (Model::start(), Gate::new());
            model.script([Reply::text("one ").and_pause(&gate).and_more("two")]);
            let mut stream = client().ask(provider(&model.base_url(), wire, ""), question());
            loop {
                let event = timeout(PATIENCE, stream.next()).await.expect("an event").expect("an event");
                if matches!(event, Ok(ModelEvent::TextDelta { .. })) {
                    break;
                }
            }
            gate.wait();
            drop(stream);
            // The arbiter closes the socket when it gets to it.
            let closed = actix_rt::task::spawn_blocking(move || model.wait_for_abandoned(1));
            timeout(PATIENCE, closed).await.expect("the connection is closed").expect("the model noticed");
        }
    });
}
