//! Tests of loading the configuration from files.

use std::fs;
use std::path::Path;

use super::load::Configuration;
use super::*;
use crate::catalog::sources::CatalogSources;
use crate::protocol::config::{ConfigWarning, TextPosition, TextRange};

struct Home {
    dir: tempfile::TempDir,
    sources: CatalogSources,
    files: ConfigFiles,
}

impl Home {
    fn with(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config.toml"), config).unwrap();
        let mut sources = CatalogSources::new(dir.path().to_path_buf(), dir.path().join("work"));
        sources.system_config = dir.path().join("system.toml");
        let files = ConfigFiles::new(&sources);
        Self { dir, sources, files }
    }

    fn load(&mut self) -> Result<Configuration, Fault> {
        self.files.load(&self.sources, None, &toml::Table::new())
    }

    fn warnings(&mut self) -> Vec<ConfigWarning> {
        self.files.warnings(&self.sources)
    }

    fn config(&self) -> String {
        self.dir.path().join("config.toml").display().to_string()
    }
}

#[test]
fn each_source_beats_the_one_before() {
    let mut home = Home::with("model = 'user'\nservice_tier = 'user'");
    fs::write(&home.sources.system_config, "model = 'system'\nreview_model = 'system'").unwrap();
    home.sources = home.sources.clone().with_overrides(&["service_tier=flag".to_owned()]).unwrap();
    let loaded = home.load().unwrap();
    let expected = "model = 'user'\nreview_model = 'system'\nservice_tier = 'flag'";
    assert_eq!(loaded.table, toml::from_str(expected).unwrap());
    assert_eq!(loaded.layers.0.len(), 3);
}

#[test]
fn a_corrected_file_counts_without_a_restart() {
    let mut home = Home::with("model = ");
    assert!(home.load().is_err());
    fs::write(home.config(), "model = 'good'").unwrap();
    assert_eq!(home.load().unwrap().settings.model.as_deref(), Some("good"));
    fs::remove_file(home.config()).unwrap();
    assert_eq!(home.load().unwrap().settings.model, None);
}

#[test]
fn a_broken_file_becomes_a_warning_with_its_place() {
    let at = |line, column| TextPosition { line, column };
    for (text, details, start, end) in [
        ("model = \n[x\n", "2:3: unclosed table, expected `]`", at(2, 3), at(2, 3)),
        ("model = 3\n", "1:9: invalid type: integer `3`, expected a string", at(1, 9), at(1, 9)),
        (
            "approval_policy = \"sometimes\"\n",
            "1:19: unknown variant `sometimes`, expected one of `untrusted`, `on-request`, `granular`, `never`",
            at(1, 19),
            at(1, 29),
        ),
    ] {
        let mut home = Home::with(text);
        let path = home.config();
        let expected = ConfigWarning {
            summary: "Invalid configuration; using defaults.".to_owned(),
            details: Some(format!("{path}:{details}")),
            path: Some(path),
            range: Some(TextRange { start, end }),
        };
        assert_eq!(home.warnings(), [expected]);
    }
}

#[test]
fn what_is_unknown_or_contradictory_becomes_a_warning_too() {
    let mut home = Home::with("no_such_key = 1\nmodel = 'x'");
    let expected = format!("\n  user ({}): `no_such_key` is ignored.", home.config());
    assert!(home.warnings()[0].summary.ends_with(&expected));

    let mut home = Home::with("model_provider = 'nope'");
    assert_eq!(home.warnings()[0].details.as_deref(), Some("Model provider `nope` not found"));

    assert_eq!(Home::with("").warnings(), []);
}

#[test]
fn strictness_refuses_the_same_and_the_unknown() {
    let strict = |text: &str| {
        let home = Home::with(text);
        check_strict(&home.sources).map_err(|text| text.replace(&home.config(), "F"))
    };
    assert_eq!(strict("model = 'x'"), Ok(()));
    assert_eq!(strict("no_such_key = 1").unwrap_err(), "F:1:1: unknown configuration field `no_such_key`");
    assert_eq!(strict("model = \n[x\n").unwrap_err(), "F:2:3: unclosed table, expected `]`");
    assert_eq!(strict("model = 3").unwrap_err(), "F:1:9: invalid type: integer `3`, expected a string");

    let home = Home::with("");
    let sources = home.sources.clone().with_overrides(&["no_such_key=1".to_owned()]).unwrap();
    let text = check_strict(&sources).unwrap_err();
    assert_eq!(text, "unknown configuration field `no_such_key` in -c/--config override");
}

#[test]
fn relative_writable_roots_begin_at_the_file_that_names_them() {
    let mut home = Home::with("[sandbox_workspace_write]\nwritable_roots = ['rel', '/abs']");
    let expected = [home.dir.path().join("rel"), "/abs".into()];
    let roots = home.load().unwrap().settings.sandbox_workspace_write.writable_roots;
    assert_eq!(roots.iter().map(Path::new).collect::<Vec<_>>(), expected);
}
