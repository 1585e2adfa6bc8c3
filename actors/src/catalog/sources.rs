//! The sources of the catalog: files and command-line settings.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use toml::{Table, Value};

use super::config::{Settings, put, split_assignment};
use crate::account::issuer::SignInSetup;
use crate::model::ModelSetup;
use crate::skills::{SkillBounds, SkillSearch};

/// The configuration file of the machine.
const SYSTEM_CONFIG: &str = "/etc/codex/config.toml";

/// The sources of the catalog.
#[derive(Clone, Debug)]
pub struct CatalogSources {
    /// Absolute path of `$CODEX_HOME`, which contains `config.toml`, `auth.json` and `installation_id`.
    pub codex_home: PathBuf,
    /// Absolute directory against which relative paths of clients are resolved.
    pub cwd: PathBuf,
    /// The configuration file of the machine; the user's takes precedence. It need not exist.
    pub system_config: PathBuf,
    /// The user's home directory, where known.
    pub(super) user_home: Option<PathBuf>,
    /// Folders with skills that a client has named.
    pub(super) extra_skill_roots: Arc<Mutex<Arc<[PathBuf]>>>,
    /// How much of skills is read.
    pub(super) skill_bounds: SkillBounds,
    /// How providers are asked for their models; `None` leaves it at the list of this program.
    pub(super) models: Option<ModelSetup>,
    /// How users sign in; `None` where they cannot.
    pub(super) sign_in: Option<SignInSetup>,
    /// `-c key=value` settings of the command line; they take precedence over all files.
    pub(super) overrides: Table,
}

impl CatalogSources {
    /// The sources of `codex_home` without command-line settings.
    pub fn new(codex_home: PathBuf, cwd: PathBuf) -> Self {
        let system_config = SYSTEM_CONFIG.into();
        Self {
            codex_home,
            cwd,
            system_config,
            user_home: None,
            extra_skill_roots: Arc::default(),
            skill_bounds: SkillBounds::default(),
            models: None,
            sign_in: None,
            overrides: Table::new(),
        }
    }

    /// The user's configuration file.
    pub fn user_config(&self) -> PathBuf {
        self.codex_home.join("config.toml")
    }

    /// Asks providers for their models.
    pub fn with_models(self, models: ModelSetup) -> Self {
        Self { models: Some(models), ..self }
    }

    /// Looks for skills in the user's home directory as well.
    pub fn with_user_home(self, user_home: Option<PathBuf>) -> Self {
        Self { user_home, ..self }
    }

    /// Where the skills of a thread in `cwd` are.
    pub(super) fn skill_search(&self, settings: &Settings, cwd: &Path) -> SkillSearch {
        SkillSearch {
            codex_home: self.codex_home.clone(),
            user_home: self.user_home.clone(),
            machine: self.system_config.with_file_name("skills"),
            extra_roots: self.extra_skill_roots.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            cwd: cwd.to_owned(),
            root_markers: settings.root_markers(),
            choices: settings.skills.config.clone(),
            bounds: self.skill_bounds,
        }
    }

    /// Signs users in and out.
    pub fn with_sign_in(self, sign_in: SignInSetup) -> Self {
        Self { sign_in: Some(sign_in), ..self }
    }

    /// Adds the `key=value` settings of the command line in order.
    ///
    /// The key is dotted. The value is parsed as TOML, or else taken as a string, so that strings need no quotes.
    ///
    /// # Errors
    /// There is no `=` or no key, or the value has the wrong type. The texts are the reference program's.
    pub fn with_overrides(mut self, overrides: &[String]) -> Result<Self, String> {
        for text in overrides {
            split(text)
                .and_then(|(key, value)| put(&mut self.overrides, key, value).map_err(|fault| fault.to_string()))
                .map_err(|reason| format!("error parsing -c overrides: {reason}"))?;
        }
        Settings::from_table(&self.overrides).map_err(|fault| fault.to_string())?;
        Ok(self)
    }
}

fn split(text: &str) -> Result<(&str, Value), String> {
    let (key, value) = split_assignment(text).ok_or_else(|| format!("Invalid override (missing '='): {text}"))?;
    if key.is_empty() {
        return Err(format!("Empty key in override: {text}"));
    }
    let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok();
    // A text with a line break could contain further settings, so it is not a single value.
    let single = parsed.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
    Ok((key, single.unwrap_or_else(|| Value::from(value.trim_matches(['"', '\''])))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(texts: &[&str]) -> Result<Table, String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        CatalogSources::new("/h".into(), "/".into()).with_overrides(&texts).map(|sources| sources.overrides)
    }

    #[test]
    fn values_are_toml_where_they_can_be() {
        let read =
            overrides(&["model=over", "model_reasoning_effort= high ", "x={y=1,z=[1,\"a\"]}", "tui.theme=1x", "w=1.5"]);
        let expected = "model='over'\nmodel_reasoning_effort='high'\nx={y=1,z=[1,'a']}\ntui.theme='1x'\nw=1.5";
        assert_eq!(read.unwrap(), toml::from_str(expected).unwrap());
        assert_eq!(overrides(&["model=\"q\""]).unwrap()["model"].as_str(), Some("q"));
        assert_eq!(overrides(&["model=a\nb=1"]).unwrap()["model"].as_str(), Some("a\nb=1"));
        let quoted =
            overrides(&["projects.\"/tmp/a.b=c\".trust_level=\"trusted\"", "projects.'/x.y'.trust_level=untrusted"]);
        let expected = "projects={'/tmp/a.b=c'={trust_level='trusted'},'/x.y'={trust_level='untrusted'}}";
        assert_eq!(quoted.unwrap(), toml::from_str(expected).unwrap());
        assert_eq!(overrides(&["a b=1"]).unwrap()["a b"].as_integer(), Some(1));
    }

    #[test]
    fn mistakes_are_told_in_the_reference_programs_words() {
        let error = |text: &str| overrides(&[text]).unwrap_err();
        assert_eq!(error("novalue"), "error parsing -c overrides: Invalid override (missing '='): novalue");
        assert_eq!(error("=x"), "error parsing -c overrides: Empty key in override: =x");
        assert_eq!(error("model=3"), "invalid type: integer `3`, expected a string\nin `model`\n");
        assert_eq!(error("model.x=1"), "invalid type: map, expected a string\nin `model`\n");
    }
}
