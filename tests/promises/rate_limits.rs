//! What a provider says of rate limits with its answers reaches every client, and whoever asks later.

use serde_json::{Value, json};

use crate::support::agent::{ended, say, told};
use crate::support::backend::account::Account;
use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::model::{Model, Reply};
use crate::support::process::Launch;
use crate::support::server::Server;

/// An answer with these headers.
fn answer(headers: &str) -> Reply {
    let done = r#"{"type":"response.completed","response":{"id":"r","usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}}"#;
    let message = r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"m","role":"assistant","content":[{"type":"output_text","text":"Hi."}]}}"#;
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n{headers}\r\n");
    Reply::raw(format!("{head}data: {message}\n\ndata: {done}\n\n"))
}

const HEADERS: &str = "x-codex-primary-used-percent: 12.7\r\nx-codex-primary-window-minutes: 300\r\n\
    x-codex-primary-reset-at: 1796009999\r\nx-codex-secondary-used-percent: 40\r\nx-codex-credits-has-credits: true\r\n\
    x-codex-credits-balance: 9.99\r\nx-codex-other-primary-used-percent: 7\r\nx-codex-other-limit-name: Other\r\n";

/// A home in which somebody is signed in, and whose provider takes that sign-in or does not.
fn home(model: &Model, takes_sign_in: bool) -> Home {
    let home = Home::with_config(&format!(
        "model = \"m\"\nmodel_provider = \"p\"\n[model_providers.p]\nname = \"P\"\nbase_url = \"{}\"\n\
         wire_api = \"responses\"\nrequires_openai_auth = {takes_sign_in}\nrequest_max_retries = 0\n",
        model.base_url()
    ));
    Account::new("acc-1").sign_in(&home);
    home
}

fn thread(client: &mut Client) -> String {
    let started = client.call("thread/start", json!({"approvalPolicy": "never"}));
    started["thread"]["id"].as_str().expect("an id").to_owned()
}

fn limits(client: &mut Client) -> Value {
    client.call("account/rateLimits/read", json!({}))
}

#[test]
fn limits_in_the_headers_of_an_answer_reach_everyone_and_stay_known() {
    let model = Model::start();
    model.script([answer(HEADERS), answer("x-codex-primary-used-percent: 13\r\n")]);
    let server = Server::unix(Launch::at(&home(&model, true)));
    let (mut ann, mut bob) = (server.client(), server.client());
    assert_eq!(limits(&mut ann)["rateLimitsByLimitId"], Value::Null, "no answer has said anything");
    let id = thread(&mut ann);
    say(&mut ann, &id);
    let window = json!({"usedPercent": 13, "windowDurationMins": 300, "resetsAt": 1_796_009_999});
    for client in [&mut ann, &mut bob] {
        let main = client.next_notification("account/rateLimits/updated")["rateLimits"].take();
        assert_eq!((&main["limitId"], &main["primary"]), (&json!("codex"), &window));
        assert_eq!(main["secondary"]["usedPercent"], 40);
        assert_eq!(main["credits"], json!({"hasCredits": true, "unlimited": false, "balance": "9.99"}));
        let other = client.next_notification("account/rateLimits/updated")["rateLimits"].take();
        assert_eq!((&other["limitId"], &other["limitName"]), (&json!("codex_other"), &json!("Other")));
    }
    assert_eq!(ended(&mut ann), "completed");
    let read = limits(&mut bob);
    assert_eq!((&read["accountId"], &read["rateLimits"]["primary"]), (&json!("acc-1"), &window));
    assert_eq!(read["rateLimits"]["planType"], "pro");
    assert_eq!(read["rateLimitsByLimitId"]["codex_other"]["primary"]["usedPercent"], 7);
    say(&mut ann, &id);
    assert_eq!(ended(&mut ann), "completed");
    let later = limits(&mut ann)["rateLimits"].take();
    assert_eq!((&later["primary"]["resetsAt"], &later["credits"]["balance"]), (&Value::Null, &json!("9.99")));
}

#[test]
fn a_refusal_states_limits_too() {
    let model = Model::start();
    model.script([Reply::error(429, "usage_limit_reached", "no more").header("x-codex-primary-used-percent", 100)]);
    let server = Server::unix(Launch::at(&home(&model, true)));
    let mut client = server.client();
    let id = thread(&mut client);
    say(&mut client, &id);
    let limit = client.next_notification("account/rateLimits/updated")["rateLimits"].take();
    assert_eq!(limit["primary"]["usedPercent"], 100);
    assert_eq!(ended(&mut client), "failed");
}

#[test]
fn providers_that_do_not_take_the_sign_in_say_nothing_about_it_and_another_account_starts_anew() {
    let model = Model::start();
    model.script([answer(HEADERS)]);
    let foreign = home(&model, false);
    let server = Server::unix(Launch::at(&foreign));
    let mut client = server.client();
    let id = thread(&mut client);
    say(&mut client, &id);
    assert!(!told(&mut client).iter().any(|message| message["method"] == "account/rateLimits/updated"));

    let model = Model::start();
    model.script([answer(HEADERS)]);
    let home = home(&model, true);
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let id = thread(&mut client);
    say(&mut client, &id);
    assert_eq!(ended(&mut client), "completed");
    Account::new("acc-2").sign_in(&home);
    let read = limits(&mut client);
    assert_eq!((&read["accountId"], &read["rateLimits"]["primary"]), (&json!("acc-2"), &Value::Null));
}
