//! A connection may do what its scopes say, and nothing else: every method of the table, for every scope.

use codex_app_server::protocol::METHODS;
use codex_app_server::protocol::schema::Protocol;
use codex_app_server::protocol::scope::Scope;
use serde_json::{Map, Value, json};

use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::remote::Remote;
use crate::support::secrets::{self, jwt, now};
use crate::support::server::Server;
use crate::support::transports::{Serving, over_every_transport};

const TOKENS: [(&str, &str); 4] = [
    ("observe", "the-token-of-whoever-observes"),
    ("converse", "the-token-of-whoever-converses"),
    ("files", "the-token-for-the-files"),
    ("admin", "the-token-of-the-administrator"),
];

/// A server that knows a token for each scope alone, one for two of them, and one for all.
fn server() -> Server {
    let home = Home::new();
    let mut launch = Launch::at(&home).args(&["--ws-auth", "capability-token"]);
    for (scopes, token) in TOKENS.into_iter().chain([("observe,converse", "the-token-for-a-phone")]) {
        let path = secrets::file(&home, scopes, token);
        launch = launch.arg("--ws-token-file").arg(format!("{scopes}:{}", path.display()));
    }
    let path = secrets::file(&home, "all", "the-token-for-everything");
    Server::ws(launch.arg("--ws-token-file").arg(path.display().to_string()))
}

/// The smallest params that fit a method: what a client must send, with the simplest values.
fn least_params(protocol: &Protocol, method: &str) -> Value {
    let row = protocol.client_requests.iter().find(|row| row.method == method).expect("it is in the schema");
    row.params.as_ref().map_or(Value::Null, |name| least(protocol, &protocol.definitions[name]))
}

fn least(protocol: &Protocol, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        return least(protocol, &protocol.definitions[name.rsplit('/').next().expect("a name")]);
    }
    for union in ["oneOf", "anyOf", "allOf"] {
        if let Some(first) = schema[union].get(0) {
            return least(protocol, first);
        }
    }
    if let Some(value) = schema["enum"].get(0).or_else(|| schema.get("const")) {
        return value.clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"].get(0)?.as_str());
    match kind {
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten();
            let members = required.map(|name| {
                let name = name.as_str().expect("a name");
                (name.to_owned(), least(protocol, &schema["properties"][name]))
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        Some("array") => json!([]),
        Some("boolean") => json!(false),
        Some("integer" | "number") => json!(1),
        Some("null") => Value::Null,
        // An absolute path at which nothing can be created, and valid base64.
        _ => json!("/proc/AA"),
    }
}

/// The scope that the client lacks for a request, if that is why it is refused.
fn missing_scope(client: &mut Client, method: &str, params: Value) -> Option<Scope> {
    let error = client.request(method, params).err()?;
    let scope = error.data.as_ref()?.get("requiredScope")?.clone();
    assert_eq!(error.code, -32600, "{error:?}");
    assert!(error.message.contains("requires the scope `"), "{error:?}");
    Some(serde_json::from_value(scope).expect("a scope"))
}

#[test]
fn every_method_needs_its_scope_and_no_other() {
    let (server, protocol) = (server(), Protocol::describe(true));
    for (name, token) in TOKENS {
        let mine: Scope = name.parse().expect("a scope");
        let mut client = server.client_with_token(token);
        for method in METHODS {
            let Some(needed) = method.scope else { continue };
            let missing = missing_scope(&mut client, method.name, least_params(&protocol, method.name));
            let expected = (needed != mine).then_some(needed);
            assert_eq!(missing, expected, "{} with the scope {name}", method.name);
        }
    }
    let mut client = server.client_with_token("the-token-for-everything");
    for method in METHODS.iter().filter(|method| method.scope.is_some()) {
        let missing = missing_scope(&mut client, method.name, least_params(&protocol, method.name));
        assert_eq!(missing, None, "{}", method.name);
    }
}

#[test]
fn what_widens_the_rights_of_a_thread_needs_admin() {
    let server = server();
    let mut phone = server.client_with_token("the-token-for-a-phone");
    let thread = phone.call("thread/start", json!({"model": "m"}))["thread"]["id"].clone();
    for params in [
        json!({"sandbox": "danger-full-access"}),
        json!({"config": {"mcp_servers": {"x": {"command": "sh"}}}}),
        json!({"config": {"sandbox_workspace_write.network_access": true}}),
        json!({"modelProvider": "elsewhere"}),
        json!({"runtimeWorkspaceRoots": ["/"]}),
    ] {
        assert_eq!(missing_scope(&mut phone, "thread/start", params.clone()), Some(Scope::Admin), "{params}");
        let mut others = params.clone();
        others["threadId"] = thread.clone();
        for method in ["thread/resume", "thread/fork"] {
            assert_eq!(missing_scope(&mut phone, method, others.clone()), Some(Scope::Admin), "{method} {params}");
        }
    }
    for policy in [json!({"type": "dangerFullAccess"}), json!({"type": "workspaceWrite", "writableRoots": ["/home"]})] {
        let params = json!({"threadId": thread, "input": [], "sandboxPolicy": policy});
        assert_eq!(missing_scope(&mut phone, "turn/start", params), Some(Scope::Admin), "{policy}");
    }
    // Whoever only observes may follow a thread as it is.
    let mut observer = server.client_with_token(TOKENS[0].1);
    let with_model = json!({"threadId": thread, "model": "m"});
    assert_eq!(missing_scope(&mut observer, "thread/resume", with_model), Some(Scope::Converse));
    assert_eq!(missing_scope(&mut observer, "thread/resume", json!({"threadId": thread})), None);
}

#[test]
fn only_observers_are_told_what_others_do() {
    let server = server();
    let mut observer = server.client_with_token(TOKENS[0].1);
    let mut files = server.client_with_token(TOKENS[2].1);
    let mut owner = server.client_with_token("the-token-for-everything");
    let thread = owner.call("thread/start", json!({}))["thread"]["id"].clone();
    owner.call("thread/name/set", json!({"threadId": thread, "name": "news"}));
    assert_eq!(observer.next_notification("thread/name/updated")["threadName"], "news");
    files.expect_silence();
}

#[test]
fn the_handshake_tells_the_scopes() {
    let server = server();
    let scopes = |token: &str| {
        let mut client = server.connect_with_token(token);
        client.initialize()["scopes"].clone()
    };
    assert_eq!(scopes("the-token-for-a-phone"), json!(["observe", "converse"]));
    assert_eq!(scopes("the-token-for-everything"), json!(["observe", "converse", "files", "admin"]));
}

#[test]
fn clients_without_a_token_may_do_everything() {
    over_every_transport(|server| {
        let scopes = server.connect().initialize()["scopes"].clone();
        assert_eq!(scopes, json!(["observe", "converse", "files", "admin"]));
    });
}

#[test]
fn remote_controllers_may_do_what_the_setting_says() {
    let server = Remote::start(&[("remote_control.scopes", r#"["observe"]"#)]);
    let mut controller = server.connect();
    assert_eq!(controller.initialize()["scopes"], json!(["observe"]));
    controller.call("thread/list", json!({}));
    assert_eq!(missing_scope(&mut controller, "thread/start", json!({})), Some(Scope::Converse));
    let command = json!({"command": ["true"]});
    assert_eq!(missing_scope(&mut controller, "command/exec", command), Some(Scope::Admin));
}

#[test]
fn a_jwt_says_its_scopes_or_is_given_the_default() {
    const SECRET: &str = "a shared secret for tokens with scopes";
    let home = Home::new();
    let path = secrets::file(&home, "secret", SECRET);
    let flags = ["--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", path.to_str().expect("text")];
    let server = Server::ws(Launch::at(&home).args(&flags).setting("auth.default_scopes", r#"["observe"]"#));
    let scopes = |claims: Value| {
        let mut client = server.connect_with_token(&jwt(SECRET, &claims));
        client.initialize()["scopes"].clone()
    };
    let exp = now() + 600;
    assert_eq!(scopes(json!({"exp": exp})), json!(["observe"]));
    assert_eq!(scopes(json!({"exp": exp, "scope": "openid files admin"})), json!(["files", "admin"]));
    assert_eq!(scopes(json!({"exp": exp, "scope": ""})), json!([]));
}

#[test]
fn watch_says_why_there_is_nothing_to_see() {
    let server = server();
    let path = server.process.home().join("files");
    let url = format!("ws://{}", server.tcp_address());
    let token = path.to_str().expect("text");
    let ended = Launch::new().args(&["watch", "--connect", &url, "--token-file", token]).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("requires the scope `observe`; this connection has: files"), "{ended:?}");
}
