//! Clients write the user's configuration without losing anything in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::transports::{Serving, over_every_shared_transport, over_every_transport};

fn edit(key: &str, value: Value) -> Value {
    json!({"keyPath": key, "value": value, "mergeStrategy": "replace"})
}

fn config(server: &dyn Serving) -> String {
    fs::read_to_string(server.codex_home().join("config.toml")).expect("a configuration")
}

#[test]
fn what_is_written_counts_at_once_and_comments_stay() {
    over_every_transport(|server| {
        let path = server.codex_home().join("config.toml");
        fs::write(&path, "# mine\nservice_tier = \"flex\" # why\n").expect("a configuration is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
        let mut client = server.client();
        let written = client.call("config/value/write", edit("model", json!("m")));
        assert_eq!((&written["status"], &written["filePath"]), (&json!("ok"), &json!(path)));
        let read = client.call("config/read", json!({"includeLayers": true}));
        assert_eq!(read["config"]["model"], "m");
        let layers = read["layers"].as_array().expect("layers");
        let user = layers.iter().find(|layer| layer["name"]["type"] == "user").expect("the user's layer");
        assert_eq!(user["version"], written["version"]);
        assert_eq!(read["origins"]["model"], json!({"name": user["name"], "version": user["version"]}));
        assert_eq!(config(server), "# mine\nservice_tier = \"flex\" # why\nmodel = \"m\"\n");
        let mode = fs::metadata(path).expect("a configuration").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    });
}

#[test]
fn a_client_that_has_seen_an_older_version_is_told_so() {
    over_every_transport(|server| {
        let mut client = server.client();
        let first = client.call("config/batchWrite", json!({"edits": [edit("model", json!("one"))]}))["version"].take();
        let update = |model: &str| json!({"edits": [edit("model", json!(model))], "expectedVersion": first});
        client.call("config/batchWrite", update("two"));
        let error = client.refusal("config/batchWrite", update("three"));
        assert_eq!(error.code, -32600);
        assert_eq!(error.data, Some(json!({"config_write_error_code": "configVersionConflict"})));
        // Behind what a server for remote control begins with.
        assert!(config(server).ends_with("model = \"two\"\n"), "{}", config(server));
    });
}

#[test]
fn clients_that_write_at_once_lose_nothing() {
    over_every_shared_transport(|server| {
        let mut clients: Vec<_> = (0..4).map(|_| server.client()).collect();
        let mut asked = Vec::new();
        for round in 0..5 {
            for (i, client) in clients.iter_mut().enumerate() {
                let key = format!("tui.client{i}_{round}");
                asked.push((i, client.send_request("config/value/write", edit(&key, json!(round)))));
            }
        }
        let count = asked.len();
        for (i, id) in asked {
            clients[i].answer_to(id).expect("it is written");
        }
        assert_eq!(config(server).lines().filter(|line| line.starts_with("client")).count(), count);
    });
}

#[test]
fn who_locks_the_home_delays_only_those_who_write_the_configuration() {
    let home = Home::new();
    let server = Server::unix(Launch::at(&home).setting("limits.config_lock_seconds", 1));
    let mut clients: Vec<_> = (0..4).map(|_| server.client()).collect();
    // Everybody who can read the directory may do so.
    let other = fs::File::open(home.path()).expect("the home");
    other.lock().expect("nobody holds it");
    let mut asked = Vec::new();
    for (i, client) in clients.iter_mut().enumerate() {
        asked.push((i, client.send_request("config/value/write", edit("model", json!("m")))));
    }
    let mut bob = server.client();
    bob.call("config/read", json!({}));
    bob.call("thread/start", json!({}));
    Server::ws(Launch::at(&home)).client().call("thread/list", json!({}));
    for (i, id) in asked {
        let error = clients[i].answer_to(id).expect_err("another program has the lock");
        assert!(error.message.contains("another program has been writing the configuration"), "{error:?}");
    }
    drop(other);
    clients[0].call("config/value/write", edit("model", json!("m")));
}

#[test]
fn another_provider_becomes_the_default_of_new_threads() {
    over_every_transport(|server| {
        let mut client = server.client();
        assert_eq!(client.call("modelProvider/list", json!({}))["canChangeDefault"], true);
        let written = client.call("modelProvider/default/set", json!({"providerId": "echo"}));
        assert_eq!((&written["status"], &written["overriddenMetadata"]), (&json!("ok"), &Value::Null));
        assert_eq!(client.call("modelProvider/list", json!({}))["defaultProviderId"], "echo");
        assert_eq!(client.call("thread/start", json!({}))["modelProvider"], "echo");
        let before = config(server);
        let refused = client.refusal("modelProvider/default/set", json!({"providerId": "nobody"}));
        assert_eq!((refused.code, &*refused.message), (-32600, "Model provider `nobody` is not configured."));
        assert_eq!(config(server), before);
    });
}
