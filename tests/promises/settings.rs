//! Every setting and its origin can be printed; an invalid one is rejected by name.

use std::fs;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::process::{Ended, Launch};
use crate::support::server::Server;

fn config(launch: Launch, arguments: &[&str]) -> String {
    let ended = launch.arg("config").args(arguments).run();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    ended.stdout
}

fn refused(launch: Launch) -> String {
    let Ended { code, stdout, stderr } = launch.run();
    assert_eq!((code, stdout.as_str()), (Some(78), ""), "{stderr}");
    stderr
}

#[test]
fn every_setting_is_printed_with_its_default() {
    let printed = config(Launch::new(), &[]);
    let parsed: toml::Table = toml::from_str(&printed).expect("what is printed is TOML");
    let default = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/default.toml")).expect("it is there");
    assert_eq!(parsed, toml::from_str(&default).expect("the defaults are TOML"));
    assert_eq!(parsed["limits"]["processor_mailbox_messages"].as_integer(), Some(128));
}

#[test]
fn the_origin_of_each_value_is_named() {
    let home = Home::new();
    fs::write(home.join("app-server.toml"), "[http]\nworkers = 2\n[shutdown]\ndrain_seconds = 5\n").expect("a file");
    let launch = Launch::at(&home).setting("shutdown.drain_seconds", 7).env("LOG_FORMAT", "json");
    let printed = config(launch, &["--origin"]);
    let line = |start: &str| printed.lines().find(|line| line.starts_with(start)).unwrap_or_default().to_owned();
    assert!(line("workers = 2").contains("app-server.toml"), "{printed}");
    assert!(line("drain_seconds = 7").contains("command line"), "{printed}");
    assert!(line("json = true").contains("LOG_FORMAT"), "{printed}");
    assert!(line("lock_seconds").contains("default"), "{printed}");
}

#[test]
fn an_unknown_setting_is_refused_by_name() {
    let error = refused(Launch::new().setting("limits.no_such_limit", 1));
    assert!(error.starts_with("Error: ") && error.contains("no_such_limit"), "{error}");
    let home = Home::new();
    fs::write(home.join("app-server.toml"), "[limits]\nno_such_limit = 1\n").expect("a file");
    let error = refused(Launch::at(&home));
    assert!(error.contains("no_such_limit") && error.contains("app-server.toml"), "{error}");
}

#[test]
fn every_layer_overrides_those_below_it() {
    let home = Home::with_config("model = \"of-the-file\"\n");
    fs::write(home.join("app-server.toml"), "[http]\nworkers = 2\nkeep_alive_seconds = 2\n").expect("a file");
    let lines =
        "# a comment\n\napp_server.http.workers=3\napp_server.http.keep_alive_seconds = 3\nmodel = of-the-variable";
    let launch = || Launch::at(&home).env("CODEX_APP_SERVER_CONFIG", lines);
    let printed = config(launch().setting("http.keep_alive_seconds", 4), &["--origin"]);
    assert!(printed.contains("\nworkers = 3 # environment CODEX_APP_SERVER_CONFIG\n"), "{printed}");
    assert!(printed.contains("\nkeep_alive_seconds = 4 # command line\n"), "{printed}");

    let model = |launch: Launch| Server::stdio(launch).client().call("thread/start", json!({}))["model"].take();
    assert_eq!(model(Launch::at(&home)), "of-the-file");
    assert_eq!(model(launch()), "of-the-variable");
    assert_eq!(model(launch().args(&["-c", "model=of-the-line"])), "of-the-line");

    let error = refused(Launch::new().env("CODEX_APP_SERVER_CONFIG", "http.workers"));
    assert!(error.contains("environment CODEX_APP_SERVER_CONFIG") && error.contains("http.workers"), "{error}");
}

#[test]
fn a_check_names_file_line_and_key() {
    for (file, text, expected) in [
        ("app-server.toml", "[log]\n\n[http]\nworkers = 0\n", "app-server.toml:4: `http.workers` must be"),
        ("app-server.toml", "[http]\n\nwokers = 1\n", "app-server.toml:3: there is no setting `http.wokers`"),
        ("app-server.toml", "limits.no_such = 1\n", "app-server.toml:1: there is no setting `limits.no_such`"),
        ("app-server.toml", "[http]\nworkers = \n", "app-server.toml:2: "),
        ("config.toml", "model = \"x\"\nmodle = \"y\"\n", "config.toml:2:"),
        ("config.toml", "model = \n", "config.toml:1:"),
        ("app-server.toml", "[auth]\n\ndefault_scopes = ['some']\n", "app-server.toml:3: `auth.default_scopes` "),
        (
            "config.toml",
            "model = 'x'\nmodel_provider = 'nobody'\n",
            "config.toml:2:1: Model provider `nobody` not found",
        ),
        ("config.toml", "[model_providers.openai]\nname = 'x'\n", "config.toml:1:"),
    ] {
        let home = Home::new();
        fs::write(home.join(file), text).expect("a file");
        let error = refused(Launch::at(&home).args(&["config", "check"]));
        assert!(error.contains(expected), "{text}: {error}");
    }
    let error = refused(Launch::new().args(&["config", "check", "-c", "no_such_key=1"]));
    assert!(error.contains("no_such_key"), "{error}");
    let error = refused(Launch::new().args(&["config", "check", "-c", "model_provider=nobody"]));
    assert!(error.contains("`model_provider`: Model provider `nobody` not found"), "{error}");
    let error = refused(Launch::new().env("RUST_LOG", "a=b=c").args(&["config", "check"]));
    assert!(error.contains("RUST_LOG=a=b=c"), "{error}");
}

#[test]
fn a_check_of_what_is_valid_names_the_files() {
    let home = Home::with_config("model = \"x\"\n");
    let ended = Launch::at(&home).args(&["config", "check"]).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("config.toml is valid.\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("app-server.toml does not exist, so the defaults hold.\n"), "{}", ended.stdout);
}

#[test]
fn a_setting_that_would_stop_everything_is_refused() {
    for value in ["0", "-1", "\"many\"", "1.5"] {
        let error = refused(Launch::new().setting("limits.processor_mailbox_messages", value));
        assert!(error.contains("processor_mailbox_messages"), "{value}: {error}");
    }
}

#[test]
fn a_number_out_of_its_own_range_is_refused_with_the_range() {
    for (name, number, range) in [
        ("http.workers", "513", "from 1 to 512"),
        ("http.workers", "0", "from 1 to 512"),
        ("http.request_head_bytes", "131073", "from 1 to 131072"),
        ("limits.json_nesting_levels", "129", "from 1 to 128"),
        ("limits.command_processes", "-1", "from 0 to 4294967295"),
        ("limits.file_workers", "4294967296", "from 1 to 4294967295"),
    ] {
        let error = refused(Launch::new().args(&["--listen", "unix://"]).setting(name, number));
        assert!(error.contains(&format!("`{name}` must be a whole number {range}, not {number}")), "{error}");
    }
}

#[test]
fn an_override_without_key_or_value_is_refused() {
    for words in ["novalue", "=x"] {
        let ended = Launch::new().args(&["-c", words]).run();
        assert!(ended.code.is_some_and(|code| code > 0), "{ended:?}");
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
}

/// Waits for the warning that says `text`. A machine that cannot confine commands brings one of its own.
fn warning(client: &mut Client, text: &str) -> Value {
    let says = |warning: &Value| warning["summary"].as_str().is_some_and(|summary| summary.contains(text));
    let mut warnings = std::iter::repeat_with(|| client.next_notification("configWarning")).take(2);
    warnings.find(says).unwrap_or_else(|| panic!("no warning says: {text}"))
}

#[test]
fn an_unknown_key_of_config_toml_matters_only_when_asked() {
    let home = Home::with_config("no_such_key = 1\n");
    let path = home.join("config.toml").canonicalize().expect("it exists");
    let error = refused(Launch::at(&home).arg("--strict-config"));
    assert_eq!(error, format!("Error: {}:1:1: unknown configuration field `no_such_key`\n", path.display()));
    let error = refused(Launch::new().args(&["--strict-config", "-c", "no_such_key=1"]));
    assert_eq!(error, "Error: unknown configuration field `no_such_key` in -c/--config override\n");

    let server = Server::stdio(Launch::at(&home));
    warning(&mut server.client(), "`no_such_key` is ignored");
}

#[test]
fn a_broken_config_toml_is_told_to_every_client_and_the_server_runs_on_defaults() {
    let home = Home::with_config("model = \n[x\n");
    let server = Server::unix(Launch::at(&home));
    let path = home.join("config.toml").canonicalize().expect("it exists");
    for _ in 0..2 {
        let mut client = server.client();
        let warning = warning(&mut client, "Invalid configuration; using defaults.");
        assert_eq!(warning["path"], path.to_str().expect("text"));
        assert!(warning["range"]["start"]["line"].is_number(), "{warning}");
        client.call("thread/list", json!({}));
    }
    let error = refused(Launch::at(&home).arg("--strict-config"));
    assert!(error.starts_with(&format!("Error: {}:", path.display())), "{error}");
}
