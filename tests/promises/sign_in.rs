//! A client signs in with an API key and out again, and every client hears of it (spec: clients 2.2, 2.3).

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::issuer::{CODE, Issuer};
use crate::support::process::Launch;
use crate::support::secrets;
use crate::support::server::Server;
use crate::support::transports::over_every_transport;

/// Names another issuer than OpenAI.
const ISSUER: &str = "CODEX_APP_SERVER_LOGIN_ISSUER";

fn with_key(key: &str) -> Value {
    json!({"type": "apiKey", "apiKey": key})
}

#[test]
fn a_key_is_kept_for_its_owner_alone_and_counts_at_once() {
    let key = secrets::used("sk-promise-of-a-sign-in-1");
    over_every_transport(|server| {
        let path = server.codex_home().join("auth.json");
        let mut client = server.client();
        // Both are sent before either is answered.
        let signing_in = client.send_request("account/login/start", with_key(&format!(" {key}\n")));
        let reading = client.send_request("account/read", json!({}));
        assert_eq!(client.answer_to(signing_in).expect("it is kept"), json!({"type": "apiKey"}));
        assert_eq!(client.answer_to(reading).expect("an account")["account"], json!({"type": "apiKey"}));
        let completed = json!({"loginId": null, "success": true, "error": null, "onboardingEntrypoint": null});
        assert_eq!(client.next_notification("account/login/completed"), completed);
        let by_key = json!({"authMode": "apikey", "planType": null, "reason": null});
        assert_eq!(client.next_notification("account/updated"), by_key);
        let file: Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
        assert_eq!(file, json!({"auth_mode": "apikey", "OPENAI_API_KEY": key}));
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);

        assert_eq!(client.call("account/logout", json!({})), json!({}));
        let nobody = json!({"authMode": null, "planType": null, "reason": null});
        assert_eq!(client.next_notification("account/updated"), nobody);
        assert_eq!(client.call("account/read", json!({}))["account"], Value::Null);
        assert!(!path.exists());
    });
}

#[test]
fn other_clients_hear_of_it_and_nobody_sees_the_key() {
    let key = secrets::used("sk-promise-of-a-sign-in-2");
    let server = Server::unix(Launch::new().env("RUST_LOG", "trace"));
    let (mut ann, mut bob) = (server.client(), server.client());
    ann.call("account/login/start", with_key(&key));
    assert_eq!(bob.next_notification("account/login/completed")["success"], true);
    assert_eq!(bob.next_notification("account/updated")["authMode"], "apikey");
    let everything = bob.call("account/read", json!({})).to_string()
        + &bob.call("config/read", json!({"includeLayers": true})).to_string();
    assert!(!everything.contains(&key));
}

#[test]
fn a_file_that_others_could_read_is_closed_to_them() {
    let home = Home::new();
    let path = home.join("auth.json");
    fs::write(&path, "{}").expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let server = Server::unix(Launch::at(&home));
    server.client().call("account/login/start", with_key(&secrets::used("sk-promise-of-a-sign-in-3")));
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_cannot_be_done_is_refused_in_words_and_changes_nothing() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    for kind in ["chatgptAuthTokens", "amazonBedrock"] {
        let refused = client.refusal("account/login/start", json!({"type": kind}));
        assert!(refused.code == -32600 && refused.message.contains("codex login"), "{refused:?}");
    }
    assert_eq!(client.refusal("account/login/start", with_key(" ")).message, "the API key is empty");
    assert_eq!(client.refusal("account/login/start", json!({"type": "spell"})).code, -32602);
    assert_eq!(client.refusal("account/login/cancel", json!({"loginId": "x"})).message, "invalid login id: x");
    let unknown = json!({"loginId": "01a2026b-365a-7222-a355-d5a268190f8b"});
    assert_eq!(client.call("account/login/cancel", unknown), json!({"status": "notFound"}));
    let feedback = client.refusal("feedback/upload", json!({"classification": "bug", "reason": "it is slow"}));
    assert!(feedback.code == -32600 && feedback.message.contains("sends feedback to nobody"), "{feedback:?}");
    let mcp = client.refusal("mcpServer/oauth/login", json!({"name": "demo"}));
    assert!(mcp.code == -32600 && mcp.message.contains("mcp_servers.demo.bearer_token_env_var"), "{mcp:?}");
    // There are no features to switch, as their list says.
    assert_eq!(client.call("experimentalFeature/list", json!({}))["data"], json!([]));
    let switched = client.call("experimentalFeature/enablement/set", json!({"enablement": {"apps": true}}));
    assert_eq!(switched, json!({"enablement": {}}));
    assert!(!server.process.home().join("auth.json").exists());
}

fn by_code(client: &mut Client) -> Value {
    client.call("account/login/start", json!({"type": "chatgptDeviceCode"}))
}

#[test]
fn a_code_that_the_user_types_elsewhere_signs_in_to_chatgpt() {
    let issuer = Issuer::start();
    let server = Server::unix(Launch::new().env(ISSUER, &issuer.url()).env("RUST_LOG", "trace"));
    let (mut ann, mut bob) = (server.client(), server.client());
    let begun = by_code(&mut ann);
    assert_eq!((&begun["type"], &begun["userCode"]), (&json!("chatgptDeviceCode"), &json!(CODE)));
    assert_eq!(begun["verificationUrl"], format!("{}/codex/device", issuer.url()));
    issuer.wait_for_a_question();
    assert_eq!(ann.call("account/read", json!({}))["account"], Value::Null, "other requests are answered meanwhile");
    issuer.type_code();
    for client in [&mut ann, &mut bob] {
        let completed = client.next_notification("account/login/completed");
        assert_eq!((&completed["success"], &completed["loginId"]), (&json!(true), &begun["loginId"]), "{completed}");
        let updated = json!({"authMode": "chatgpt", "planType": "plus", "reason": null});
        assert_eq!(client.next_notification("account/updated"), updated);
    }
    let account = json!({"type": "chatgpt", "email": "me@example.com", "planType": "plus", "workspaceName": null});
    assert_eq!(bob.call("account/read", json!({}))["account"], account);
    let traded = issuer.traded();
    assert!(issuer.proofs().iter().all(|proof| traded.contains(proof)), "{traded}");
    assert!(traded.contains("grant_type=authorization_code") && traded.contains("deviceauth%2Fcallback"), "{traded}");
    let path = server.process.home().join("auth.json");
    let file: Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
    assert_eq!((&file["auth_mode"], &file["tokens"]["account_id"]), (&json!("chatgpt"), &json!("acc-1")));
    assert_eq!(file["tokens"]["access_token"], issuer.access_token());
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_sign_in_that_waits_is_cancelled_once_and_gives_way_to_another() {
    let issuer = Issuer::start();
    let server = Server::unix(Launch::new().env(ISSUER, &issuer.url()));
    let mut client = server.client();
    let first = by_code(&mut client)["loginId"].take();
    let second = by_code(&mut client)["loginId"].take();
    let given_way = client.next_notification("account/login/completed");
    assert_eq!((&given_way["loginId"], &given_way["success"]), (&first, &json!(false)));
    let mut cancel = |id: &Value| client.call("account/login/cancel", json!({"loginId": id}))["status"].take();
    assert_eq!(
        (cancel(&first), cancel(&second), cancel(&second)),
        (json!("notFound"), json!("canceled"), json!("notFound"))
    );
    let cancelled = client.next_notification("account/login/completed");
    assert_eq!((&cancelled["loginId"], &cancelled["error"]), (&second, &json!("the sign-in was cancelled")));
    issuer.type_code();
    let third = by_code(&mut client)["loginId"].take();
    assert_eq!(client.next_notification("account/login/completed")["loginId"], third, "nobody else signs in");
}

#[test]
fn an_issuer_that_cannot_be_reached_is_named() {
    let nowhere = Launch::new().env(ISSUER, "http://127.0.0.1:1");
    let refused = Server::unix(nowhere).client().refusal("account/login/start", json!({"type": "chatgptDeviceCode"}));
    assert!(refused.code == -32603 && refused.message.contains("failed to request device code"), "{refused:?}");
}
