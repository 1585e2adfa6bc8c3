//! The layers of settings; the last layer that sets a value wins.

use std::{collections::BTreeMap, io, path::Path};

use env_filter::Builder;
use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

use super::{
    Settings,
    error::{Origin, SettingsError},
    ranges::range,
};
use crate::cli::{Override, VARIABLE};

/// The built-in defaults, which also define all settings and their types.
pub(super) const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Bytes of a settings file; a larger one is not what it seems to be.
const LARGEST_FILE: usize = 1024 * 1024;

/// The sections that SIGHUP reads again.
const RELOADED: [&str; 2] = ["log.", "shutdown."];

/// What `log.filter` must be.
const FILTER: &str = "levels by module, such as `info` or `warn,app_server_actors=debug`";

/// The value and origin of every setting, by dotted key.
#[derive(Clone, Debug)]
pub struct Effective {
    values: BTreeMap<String, (Value, Origin)>,
    /// Variables that say nothing we understand. Other programs may use them, too, so they are no errors.
    warnings: Vec<String>,
}

impl Effective {
    /// The built-in defaults.
    pub fn built_in() -> Result<Self, SettingsError> {
        let mut values = BTreeMap::new();
        each_leaf("", Value::Table(toml::from_str(DEFAULTS)?), &mut |key, value| {
            values.insert(key, (value, Origin::Default));
            Ok(())
        })?;
        Ok(Self { values, warnings: Vec::new() })
    }

    /// Converts to the typed settings.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        let mut table = Table::new();
        for (key, (value, _)) in &self.values {
            let (section, name) = key.split_once('.').unwrap_or(("", key));
            let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                section.insert(name.to_owned(), value.clone());
            }
        }
        Ok(table.try_into()?)
    }

    /// The value of the setting `key` and its origin.
    pub fn get(&self, key: &str) -> Option<(&Value, &Origin)> {
        self.values.get(key).map(|(value, origin)| (value, origin))
    }

    /// Logs what was ignored.
    pub fn warn(&self) {
        self.warnings.iter().for_each(|warning| log::warn!("{warning}"));
    }

    /// # Errors
    /// Something was ignored.
    pub fn refuse_ignored(&self) -> Result<(), SettingsError> {
        self.warnings.first().map_or(Ok(()), |warning| Err(SettingsError::Ignored(warning.clone())))
    }

    /// The settings that have another value in `new` and that only a restart changes.
    pub fn needing_restart<'a>(&'a self, new: &'a Self) -> impl Iterator<Item = &'a str> {
        let values = self.values.iter().filter(|(key, _)| !RELOADED.iter().any(|section| key.starts_with(section)));
        let changed = values.filter(|(key, (value, _))| new.values.get(*key).is_none_or(|(new, _)| new != value));
        changed.map(|(key, _)| key.as_str())
    }

    /// Adds the file at `path` as a layer, if it exists.
    pub fn overlay_file(&mut self, path: &Path) -> Result<(), SettingsError> {
        let text = match plain_file::read_to_string(path, LARGEST_FILE) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(SettingsError::Unreadable { path: path.to_owned(), error }),
        };
        let table: Table = toml::from_str(&text).map_err(|error| SettingsError::NotToml {
            path: path.to_owned(),
            line: error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count()),
            message: error.message().to_owned(),
        })?;
        let origin = Origin::File(path.to_owned(), None);
        self.overlay("", Value::Table(table), &origin).map_err(|error| error.at(|key| line_of(&text, key)))
    }

    /// Adds the environment as a layer: the settings in [`VARIABLE`], `RUST_LOG` and `LOG_FORMAT`.
    pub fn overlay_environment(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<(), SettingsError> {
        let lines = variable(VARIABLE).unwrap_or_default();
        for it in Override::lines(&lines).map_err(SettingsError::NoAssignment)?.iter().filter_map(Override::of_setting)
        {
            self.overlay(&it.key, it.toml_value(), &Origin::Environment(VARIABLE))?;
        }
        if let Some(filter) = variable("RUST_LOG").filter(|filter| !filter.is_empty()) {
            match Builder::new().try_parse(&filter) {
                Ok(_) => self.overlay("log.filter", Value::String(filter), &Origin::Environment("RUST_LOG"))?,
                Err(error) => self.warnings.push(format!(
                    "RUST_LOG={filter} is ignored, because it cannot be parsed ({error}); it must be {FILTER}"
                )),
            }
        }
        if let Some(format) = variable("LOG_FORMAT").filter(|format| !format.is_empty()) {
            let is = |name: &str| format.eq_ignore_ascii_case(name);
            if is("json") || is("text") {
                self.overlay("log.json", Value::Boolean(is("json")), &Origin::Environment("LOG_FORMAT"))?;
            } else {
                self.warnings.push(format!("LOG_FORMAT={format} is ignored; it must be `json` or `text`"));
            }
        }
        Ok(())
    }

    /// Adds the command line as a layer.
    pub fn overlay_command_line(&mut self, overrides: &[Override]) -> Result<(), SettingsError> {
        overrides.iter().try_for_each(|it| self.overlay(&it.key, it.toml_value(), &Origin::CommandLine))
    }

    fn overlay(&mut self, key: &str, value: Value, origin: &Origin) -> Result<(), SettingsError> {
        each_leaf(key, value, &mut |key, value| self.set(key, value, origin))
    }

    fn set(&mut self, key: String, value: Value, origin: &Origin) -> Result<(), SettingsError> {
        if value.as_table().is_some_and(Table::is_empty) {
            let section = format!("{key}.");
            let is_section = key.is_empty() || self.values.keys().any(|known| known.starts_with(&section));
            return if is_section { Ok(()) } else { Err(SettingsError::Unknown { origin: origin.clone(), key }) };
        }
        let Some(slot) = self.values.get_mut(&key) else {
            return Err(SettingsError::Unknown { origin: origin.clone(), key });
        };
        let expected = match (&slot.0, &value) {
            (Value::Integer(_), Value::Integer(number)) if range(&key).contains(number) => None,
            (Value::Integer(_), _) => {
                let range = range(&key);
                Some(format!("a whole number from {} to {}", range.start(), range.end()))
            }
            (Value::String(_), Value::String(text))
                if key == "log.filter" && Builder::new().try_parse(text).is_err() =>
            {
                Some(FILTER.to_owned())
            }
            (Value::Boolean(_), Value::Boolean(_)) | (Value::String(_), Value::String(_)) => None,
            (Value::Array(_), Value::Array(items)) if items.iter().all(Value::is_str) => None,
            (Value::Array(_), _) => Some("a list of strings".to_owned()),
            (Value::Boolean(_), _) => Some("true or false".to_owned()),
            (known, _) => Some(format!("a {}", known.type_str())),
        };
        if let Some(expected) = expected {
            return Err(SettingsError::Unfit { origin: origin.clone(), key, expected, found: value.to_string() });
        }
        let before = std::mem::replace(slot, (value, origin.clone()));
        // What only its type knows, such as the words of a list.
        if let Err(SettingsError::BuiltIn(error)) = self.settings() {
            let reason = error.message().trim().to_owned();
            self.values.insert(key.clone(), before);
            return Err(SettingsError::Refused { origin: origin.clone(), key, reason });
        }
        Ok(())
    }
}

/// The line of `text` on which the setting `key` stands, counted from 1.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut start = None;
    for name in key.split('.') {
        let (found, value) = table.get_key_value(name)?;
        start = Some(found.span().start);
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    Some(1 + text[..start?].matches('\n').count())
}

/// Calls `take` with every value below `value` that is not a table, or an empty one, and its dotted key.
fn each_leaf(
    key: &str,
    value: Value,
    take: &mut impl FnMut(String, Value) -> Result<(), SettingsError>,
) -> Result<(), SettingsError> {
    let table = match value {
        Value::Table(table) if !table.is_empty() => table,
        value => return take(key.to_owned(), value),
    };
    for (name, value) in table {
        let key = if key.is_empty() { name } else { format!("{key}.{name}") };
        each_leaf(&key, value, take)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::{super::ranges::AT_MOST, *};

    fn overrides(list: &[&str]) -> Vec<Override> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn with_file(text: &str) -> Result<(Effective, PathBuf), SettingsError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(super::super::FILE_NAME);
        fs::write(&path, text).unwrap();
        let mut effective = Effective::built_in()?;
        effective.overlay_file(&path)?;
        Ok((effective, path))
    }

    #[test]
    fn the_built_in_defaults_are_complete() {
        let settings = Effective::built_in().unwrap().settings().unwrap();
        assert_eq!(settings.limits.processor_mailbox_messages, 128);
        assert_eq!(settings.limits.websocket_outbound_messages, 32 * 1024);
        assert_eq!(settings.http.workers, 1);
        assert_eq!(
            settings.log,
            crate::logging::LogSettings {
                filter: "warn".into(),
                json: false,
                queue_bytes: 1_048_576,
                file: String::new(),
                file_bytes: 10_485_760,
                files: 5,
            }
        );
    }

    #[test]
    fn every_built_in_number_obeys_the_rule_for_numbers() {
        for (key, (value, _)) in Effective::built_in().unwrap().values {
            assert!(value.as_integer().is_none_or(|number| range(&key).contains(&number)), "{key}");
        }
    }

    #[test]
    fn the_last_layer_that_names_a_setting_wins() {
        let (mut effective, path) = with_file("[http]\nworkers = 2\n[log]\nfilter = 'info'\njson = true\n").unwrap();
        effective.overlay_environment(|name| (name == "RUST_LOG").then(|| "debug".to_owned())).unwrap();
        effective.overlay_command_line(&overrides(&["http.workers=3", "shutdown={drain_seconds=5}"])).unwrap();

        let origin = |key: &str| effective.get(key).unwrap().1.clone();
        assert_eq!(origin("http.workers"), Origin::CommandLine);
        assert_eq!(origin("shutdown.drain_seconds"), Origin::CommandLine);
        assert_eq!(origin("log.filter"), Origin::Environment("RUST_LOG"));
        assert_eq!(origin("log.json"), Origin::File(path, None));
        assert_eq!(origin("shutdown.close_seconds"), Origin::Default);

        let settings = effective.settings().unwrap();
        assert_eq!((settings.http.workers, settings.shutdown.drain_seconds.0), (3, 5));
        assert_eq!((settings.log.filter.as_str(), settings.log.json), ("debug", true));
    }

    #[test]
    fn without_a_file_there_is_no_layer() {
        let mut effective = Effective::built_in().unwrap();
        effective.overlay_file(Path::new("/nonexistent/app-server.toml")).unwrap();
        assert_eq!(effective.get("http.workers").unwrap().1, &Origin::Default);
    }

    #[test]
    fn a_section_that_there_is_not_is_an_error_also_when_it_is_empty() {
        for (file, key) in [("[htpp]\n", "htpp"), ("[htpp]\n# later\n[log]\n", "htpp"), ("[log.more]\n", "log.more")] {
            let error = with_file(file).unwrap_err().to_string();
            assert!(error.contains(&format!("there is no setting `{key}`")), "{file}: {error}");
        }
        for file in ["", "[http]\n", "# nothing\n"] {
            with_file(file).unwrap();
        }
    }

    #[test]
    fn variables_that_make_no_sense_are_ignored_with_a_warning() {
        let mut effective = Effective::built_in().unwrap();
        let values = [("RUST_LOG", "info=x=y"), ("LOG_FORMAT", "xml")];
        let variable =
            |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        effective.overlay_environment(variable).unwrap();
        assert_eq!(effective.get("log.filter").unwrap().1, &Origin::Default);
        assert_eq!(effective.warnings.len(), 2, "{:?}", effective.warnings);
        assert!(effective.warnings[0].starts_with("RUST_LOG=info=x=y is ignored"), "{:?}", effective.warnings);
        assert_eq!(effective.warnings[1], "LOG_FORMAT=xml is ignored; it must be `json` or `text`");
    }

    #[test]
    fn only_what_changed_and_is_not_reloaded_needs_a_restart() {
        let old = Effective::built_in().unwrap();
        let mut new = old.clone();
        new.overlay_command_line(&overrides(&["log.json=true", "http.workers=3", "shutdown.close_seconds=9"])).unwrap();
        assert_eq!(old.needing_restart(&new).collect::<Vec<_>>(), ["http.workers"]);
    }

    /// Another value of the kind of `value`, as `-c` takes it.
    fn another(key: &str, value: &Value) -> String {
        match value {
            Value::Integer(number) if *number == *range(key).end() => (number - 1).to_string(),
            Value::Integer(number) => (number + 1).to_string(),
            Value::Boolean(is) => (!is).to_string(),
            Value::Array(_) if key.ends_with("scopes") => "['observe']".to_owned(),
            Value::Array(_) => "['192.0.2.1']".to_owned(),
            _ if key == "remote_control.end_to_end" => "'off'".to_owned(),
            _ => "'info'".to_owned(),
        }
    }

    #[test]
    fn a_reload_applies_every_setting_or_names_it() {
        let old = Effective::built_in().unwrap();
        for (key, (value, _)) in &old.values {
            let mut new = old.clone();
            let it = format!("{key}={}", another(key, value));
            new.overlay_command_line(&overrides(&[it.as_str()])).unwrap();
            let (before, after) = (old.settings().unwrap(), new.settings().unwrap());
            // What `reload` in src/serve.rs takes over.
            let is_applied = before.log != after.log || before.shutdown != after.shutdown;
            let named: Vec<&str> = old.needing_restart(&new).collect();
            assert_eq!(named, if is_applied { vec![] } else { vec![key.as_str()] }, "{it}");
        }
    }

    #[test]
    fn every_number_has_its_range() {
        let effective = Effective::built_in().unwrap();
        let numbers: Vec<&String> =
            effective.values.iter().filter(|(_, it)| it.0.is_integer()).map(|it| it.0).collect();
        assert!(numbers.len() > 100, "{numbers:?}");
        for key in numbers {
            let with = |number: i64| effective.clone().overlay_command_line(&overrides(&[&format!("{key}={number}")]));
            let range = range(key);
            for number in [range.start() - 1, range.end() + 1, i64::MIN, i64::MAX] {
                assert!(matches!(with(number), Err(SettingsError::Unfit { .. })), "{key}={number}");
            }
            for number in [range.start(), range.end()] {
                with(*number).unwrap_or_else(|error| panic!("{key}={number}: {error}"));
            }
        }
    }

    #[test]
    fn an_error_names_the_layer_and_the_setting() {
        let text = |file: &str| with_file(file).unwrap_err().to_string();
        let unknown = text("[http]\nwokers = 2\n");
        assert!(unknown.contains("app-server.toml:2: there is no setting `http.wokers`"), "{unknown}");
        let broken = text("[http]\nworkers = \n");
        assert!(broken.contains("app-server.toml:2: "), "{broken}");

        let mut effective = Effective::built_in().unwrap();
        let mut refuse = |it: &str| effective.overlay_command_line(&overrides(&[it])).unwrap_err().to_string();
        assert_eq!(
            refuse("http.workers=0"),
            "command line: `http.workers` must be a whole number from 1 to 512, not 0"
        );
        assert_eq!(
            refuse("limits.command_processes=-1"),
            "command line: `limits.command_processes` must be a whole number from 0 to 4294967295, not -1"
        );
        for (key, most) in AT_MOST {
            assert!(refuse(&format!("{key}={}", most + 1)).contains(&format!(" to {most}, not ")), "{key}");
        }
        assert_eq!(refuse("log.json=1"), "command line: `log.json` must be true or false, not 1");
        assert_eq!(refuse("log.filter=1"), "command line: `log.filter` must be a string, not 1");
        assert_eq!(
            refuse("http.allowed_hosts=[1]"),
            "command line: `http.allowed_hosts` must be a list of strings, not [1]"
        );
        assert_eq!(
            refuse("log.filter=a=b=c"),
            "command line: `log.filter` must be levels by module, such as `info` or `warn,app_server_actors=debug`, not \"a=b=c\""
        );
        assert_eq!(
            refuse("http=1"),
            "command line: there is no setting `http`; `codex-app-server config` lists all, each as SECTION.KEY"
        );
    }
}
