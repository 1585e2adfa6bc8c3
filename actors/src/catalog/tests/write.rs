//! Tests of writing the configuration, compared with recorded behaviour of the reference program.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::thread;

use serde_json::{Value, json};

use super::*;
use crate::protocol::RpcError;

impl Home {
    fn write(&mut self, params: Value) -> Result<Value, RpcError> {
        let written = self.write_typed(params)?;
        Ok(serde_json::to_value(&written).unwrap())
    }

    fn write_typed(&mut self, params: Value) -> Result<crate::protocol::config::ConfigWriteResponse, RpcError> {
        let params: crate::protocol::config::ConfigBatchWriteParams = serde_json::from_value(params).unwrap();
        self.reader.write_config(&params.edits, params.file_path, params.expected_version)
    }

    fn config(&self) -> String {
        fs::read_to_string(self.path("home/config.toml")).unwrap()
    }

    fn set(&mut self, key: &str, value: Value) -> Result<Value, RpcError> {
        self.write(json!({"edits": [edit(key, value)]}))
    }
}

fn edit(key: &str, value: Value) -> Value {
    json!({"keyPath": key, "value": value, "mergeStrategy": "replace"})
}

fn code(error: &RpcError) -> &str {
    error.data.as_ref().unwrap()["config_write_error_code"].as_str().unwrap()
}

#[test]
fn the_file_is_made_for_its_owner_alone_and_the_answer_has_its_version() {
    let mut home = Home::empty();
    let written = home.set("model", json!("m9")).unwrap();
    let expected = json!({
        "status": "ok",
        "version": "sha256:338469473a1e69c0774db026f1d9eae23abdf127188125c1039a6f0f3a6c5620",
        "filePath": home.path("home/config.toml"),
        "overriddenMetadata": null,
    });
    assert_eq!(written, expected);
    assert_eq!(home.config(), "model = \"m9\"\n");
    let mode = fs::metadata(home.path("home/config.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_version_that_is_not_the_current_one_is_refused() {
    let mut home = Home::with("model = 'a'\n[sandbox_workspace_write]\nwritable_roots = ['rel']");
    let read = home.reader.files.load(&home.reader.sources, None, &toml::Table::new()).unwrap();
    let seen = read.layers.listing()[0].metadata.version.clone();
    let edits = [edit("model", json!("b"))];
    let new = home.write(json!({"edits": edits, "expectedVersion": seen})).unwrap()["version"].clone();
    let error = home.write(json!({"edits": edits, "expectedVersion": seen})).unwrap_err();
    assert_eq!(code(&error), "configVersionConflict");
    assert_eq!(error.message, "Configuration was modified since last read. Fetch latest version and retry.");
    home.write(json!({"edits": edits, "expectedVersion": new})).unwrap();
}

#[test]
fn all_edits_are_made_or_none() {
    let mut home = Home::with("# mine\nmodel = 'a'\n");
    let error =
        home.write(json!({"edits": [edit("model", json!("b")), edit("approval_policy", json!("bad"))]})).unwrap_err();
    assert_eq!(code(&error), "configValidationError");
    assert!(error.message.starts_with("Invalid configuration: unknown variant `bad`"), "{}", error.message);
    assert_eq!(home.config(), "# mine\nmodel = 'a'\n");
    home.write(json!({"edits": [edit("model", json!("b")), edit("model", json!("c"))]})).unwrap();
    assert_eq!(home.config(), "# mine\nmodel = \"c\"\n");
}

#[test]
fn a_value_that_the_command_line_overrides_is_written_and_said_so() {
    let mut home = Home::empty();
    let sources = sources(&home.dir).with_overrides(&["model_reasoning_effort=high".into()]).unwrap();
    home.reader = Reader::new(sources.into());
    let written = home
        .write(json!({"edits": [edit("model", json!("m")), edit("model_reasoning_effort", json!("low"))]}))
        .unwrap();
    assert_eq!(written["status"], "okOverridden");
    let expected = json!({
        "message": "Overridden by session flags",
        "overridingLayer": {
            "name": {"type": "sessionFlags"},
            "version": "sha256:9f62d11aab3f8b5b21f3d072462d90fca216aa763e6e6e37800257691da7f867",
        },
        "effectiveValue": "high",
    });
    assert_eq!(written["overriddenMetadata"], expected);
    assert!(home.config().contains("low"));
    assert_eq!(home.set("model_reasoning_effort", json!("high")).unwrap()["status"], "ok");
}

#[test]
fn only_the_users_own_file_is_written() {
    let mut home = Home::empty();
    symlink(home.path("home"), home.path("link")).unwrap();
    for (named, allowed) in [
        ("home/config.toml", true),
        ("home/../home/./config.toml", true),
        ("link/config.toml", true),
        ("home/other.toml", false),
        ("work/config.toml", false),
    ] {
        let path = home.path(named);
        let written = home.write(json!({"edits": [edit("model", json!(named))], "filePath": path}));
        match written {
            Ok(_) => assert!(allowed, "{named}"),
            Err(error) => assert!(!allowed && code(&error) == "configLayerReadonly", "{named}: {}", error.message),
        }
    }
    for relative in ["", "config.toml"] {
        let error = home.write(json!({"edits": [], "filePath": relative})).unwrap_err();
        assert_eq!(error.message, "Only writes to the user config are allowed");
    }
}

#[test]
fn a_link_stays_a_link() {
    let mut home = Home::empty();
    fs::write(home.path("home/real.toml"), "# real\nmodel=\"a\"\n").unwrap();
    symlink("real.toml", home.path("home/config.toml")).unwrap();
    home.set("model", json!("b")).unwrap();
    assert_eq!(fs::read_to_string(home.path("home/real.toml")).unwrap(), "# real\nmodel=\"b\"\n");
    assert!(home.path("home/config.toml").is_symlink());
}

#[test]
fn a_faulty_value_can_be_corrected_but_a_text_that_is_no_toml_is_left_alone() {
    let mut home = Home::with("model = 3\n");
    assert!(home.set("service_tier", json!("x")).unwrap_err().message.contains("in `model`"));
    home.set("model", json!("good")).unwrap();
    let mut home = Home::with("model = \n[x\n");
    let error = home.set("model", json!("m")).unwrap_err();
    assert_eq!((error.code.number(), error.data.is_none()), (-32603, true));
    assert!(error.message.ends_with("config.toml:2:3: unclosed table, expected `]`"), "{}", error.message);
    assert_eq!(home.config(), "model = \n[x\n");
}

#[test]
fn a_file_of_another_system_keeps_its_form() {
    let mut home = Home::with("\u{feff}# mine\r\nmodel = 'a'\r\n");
    home.set("model", json!("b")).unwrap();
    assert_eq!(home.config(), "\u{feff}# mine\r\nmodel = \"b\"\r\n");
    home.set("service_tier", json!("flex")).unwrap();
    assert_eq!(home.config(), "\u{feff}# mine\r\nmodel = \"b\"\r\nservice_tier = \"flex\"\r\n");
}

#[test]
fn writers_at_once_lose_nothing() {
    let home = Home::empty();
    let writers = 4;
    let rounds = 10;
    thread::scope(|scope| {
        for writer in 0..writers {
            let sources = sources(&home.dir);
            scope.spawn(move || {
                let home = fs::File::open(&sources.codex_home).unwrap();
                let mut reader = Reader::new(sources.into());
                for round in 0..rounds {
                    let edit = edit(&format!("tui.w{writer}r{round}"), json!(round));
                    home.lock().unwrap();
                    reader.write_config(&[serde_json::from_value(edit).unwrap()], None, None).unwrap();
                    home.unlock().unwrap();
                }
            });
        }
    });
    let table: toml::Table = toml::from_str(&home.config()).unwrap();
    assert_eq!(table["tui"].as_table().unwrap().len(), writers * rounds);
}
