//! Requests of clients at their start are answered (spec: clients 2, 3, 8).

use std::fs;

use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::transports::over_every_transport;

#[test]
fn every_listing_that_clients_probe_is_answered() {
    over_every_transport(|server| {
        let mut client = server.client();
        for method in [
            "account/read",
            "model/list",
            "config/read",
            "configRequirements/read",
            "permissionProfile/list",
            "skills/list",
            "hooks/list",
            "collaborationMode/list",
            "plugin/installed",
            "plugin/list",
            "mcpServerStatus/list",
            "experimentalFeature/list",
            "account/bedrock/checkGovCloudRequirements",
            "account/gatewayOAuth/read",
        ] {
            client.call(method, json!({}));
        }
        let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
        for method in ["thread/goal/get", "thread/backgroundTerminals/list", "thread/attachment/list"] {
            client.call(method, json!({"threadId": thread}));
        }
        let error = client.request("account/rateLimits/read", json!({})).err();
        assert!(error.is_none_or(|error| error.code == -32600), "either an empty answer or that nobody is signed in");
    });
}

#[test]
fn the_answers_of_an_empty_home_are_the_references() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let nobody = json!({"account": null, "userId": null, "requiresOpenaiAuth": true, "workspaceRouting": null});
    let no_gateway = json!({"providerId": "openai", "providerName": "OpenAI", "required": false,
        "supportsDeviceAuth": false, "status": null, "error": null});
    let cases = [
        ("account/read", nobody),
        ("configRequirements/read", json!({"supportsIndependentSpeedModes": true, "requirements": null})),
        ("plugin/installed", json!({"marketplaces": [], "marketplaceLoadErrors": []})),
        ("mcpServerStatus/list", json!({"data": [], "nextCursor": null})),
        ("account/bedrock/checkGovCloudRequirements", json!({"isGovCloud": false, "shouldWarn": false})),
        ("account/gatewayOAuth/read", no_gateway),
    ];
    for (method, expected) in cases {
        assert_eq!(client.call(method, json!({})), expected, "{method}");
    }
    let profiles = client.call("permissionProfile/list", json!({}))["data"].take();
    let ids: Vec<&Value> = profiles.as_array().expect("a list").iter().map(|profile| &profile["id"]).collect();
    assert_eq!(ids, [":read-only", ":workspace", ":danger-full-access"]);
}

#[test]
fn a_question_about_a_provider_or_an_environment_that_there_is_not_is_refused() {
    let home = Home::with_config("[model_providers.own]\nname = \"Own\"\nbase_url = \"http://127.0.0.1:1/v1\"\n");
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let own = client.call("account/gatewayOAuth/read", json!({"modelProvider": "own"}));
    assert_eq!((&own["providerId"], &own["providerName"]), (&json!("own"), &json!("Own")));
    let error = client.refusal("account/gatewayOAuth/read", json!({"modelProvider": "nope"}));
    assert_eq!((error.code, &error.data.unwrap()["type"]), (-32600, &json!("modelProviderNotConfigured")));
    for params in [json!({"environmentId": "local"}), json!({"environmentId": "local", "serverName": "x"})] {
        let error = client.refusal("mcpServerStatus/list", params);
        assert_eq!((error.code, error.message.as_str()), (-32600, "environmentId requires serverName and threadId"));
    }
}

#[test]
fn there_is_a_model_and_one_is_the_default() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let models = client.call("model/list", json!({}))["data"].take();
    let models = models.as_array().expect("a list");
    let defaults = models.iter().filter(|model| model["isDefault"] == true).count();
    assert_eq!((models.is_empty(), defaults), (false, 1));
    assert!(models.iter().all(|model| model["hidden"] == false), "hidden models are for who asks for them");
    let first = client.call("model/list", json!({"limit": 1}));
    assert_eq!(first["data"][0]["id"], models[0]["id"]);
    for cursor in ["garbage", "9999"] {
        assert_eq!(client.refusal("model/list", json!({"cursor": cursor})).code, -32600);
    }
}

#[test]
fn an_api_key_is_an_account_and_is_never_shown() {
    let home = Home::new();
    let secret = "sk-promise-0123456789";
    fs::write(home.join("auth.json"), json!({"OPENAI_API_KEY": secret}).to_string()).expect("a file");
    let server = Server::unix(Launch::at(&home).env("RUST_LOG", "trace"));
    let mut client = server.client();
    let account = client.call("account/read", json!({}));
    assert_eq!(account["account"], json!({"type": "apiKey"}));
    let everything = account.to_string() + &client.call("config/read", json!({"includeLayers": true})).to_string();
    assert!(!everything.contains(secret) && !server.process.stderr.text().contains(secret));
}

#[test]
fn config_read_shows_config_toml_and_the_command_line() {
    let home = Home::with_config("model = \"from-file\"\napproval_policy = \"never\"\n");
    let server = Server::unix(Launch::at(&home).args(&["-c", "model=from-line"]));
    let answer = server.client().call("config/read", json!({"includeLayers": true}));
    assert_eq!(
        (&answer["config"]["model"], &answer["config"]["approval_policy"]),
        (&json!("from-line"), &json!("never"))
    );
    assert!(answer["origins"]["model"].is_object(), "{answer}");
    assert!(answer["layers"].as_array().is_some_and(|layers| layers.len() >= 2), "{answer}");
}
