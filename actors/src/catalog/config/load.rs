//! Loads the configuration from its sources.

use std::io;
use std::path::Path;

use toml::de::DeTable;
use toml::{Table, Value};

use super::known;
use super::project::{Project, ProjectFiles};
use super::{Fault, Layer, Layers, Settings};
use crate::cached_file::{CachedFile, read_or_empty};
use crate::catalog::sources::CatalogSources;
use crate::protocol::config::{ConfigLayerSource, ConfigWarning};
use crate::protocol::thread::Unset;

/// The files of the configuration; each is read again after a change.
pub struct ConfigFiles {
    system: CachedFile<Result<Table, Fault>>,
    user: CachedFile<Result<Table, Fault>>,
    projects: ProjectFiles,
}

/// A valid configuration.
pub struct Configuration {
    /// Where it comes from.
    pub layers: Layers,
    /// The layers.
    pub table: Table,
    /// The settings that this server uses.
    pub settings: Settings,
}

impl ConfigFiles {
    /// The files named by `sources`.
    pub fn new(sources: &CatalogSources) -> Self {
        Self {
            system: CachedFile::new(sources.system_config.clone(), parse_file),
            user: CachedFile::new(sources.user_config(), parse_file),
            projects: ProjectFiles::default(),
        }
    }

    /// The configuration in the absolute directory `cwd`, or without project settings if there is none. `session`
    /// contains the settings of a single thread.
    ///
    /// # Errors
    /// The first fault of an active source.
    pub fn load(
        &mut self,
        sources: &CatalogSources,
        cwd: Option<&Path>,
        session: &Table,
    ) -> Result<Configuration, Fault> {
        let system = ConfigLayerSource::System { file: sources.system_config.display().to_string() };
        let user = ConfigLayerSource::User { file: sources.user_config().display().to_string(), profile: Unset };
        let mut layers =
            Layers(vec![Layer::new(system, self.system.get().clone()?), Layer::new(user, self.user.get().clone()?)]);
        let mut flags = sources.overrides.clone();
        super::merge(&mut flags, session);
        resolve_writable_roots(&mut flags, &sources.cwd);
        let flags = Some(flags).filter(|flags| !flags.is_empty());
        let flags = flags.map(|flags| Layer::new(ConfigLayerSource::SessionFlags, flags));

        if let Some(cwd) = cwd {
            let mut of_the_user = layers.clone();
            of_the_user.0.extend(flags.clone());
            let of_the_user = of_the_user.effective();
            let settings = Settings::from_table(&of_the_user)?;
            layers.0.extend(Project::of(cwd, &settings).layers(sources, of_the_user, &mut self.projects)?);
        }
        layers.0.extend(flags);
        let table = layers.effective();
        let settings = Settings::from_table(&table)?;
        Ok(Configuration { layers, table, settings })
    }

    /// Warnings about the configuration in the server's own directory.
    pub fn warnings(&mut self, sources: &CatalogSources) -> Vec<ConfigWarning> {
        let loaded = self.load(sources, Some(&sources.cwd), &Table::new());
        match loaded.and_then(|configuration| configuration.settings.check().map(|()| configuration)) {
            Ok(configuration) => known::warnings(&configuration.layers),
            Err(fault) => vec![fault.warning()],
        }
    }
}

/// Reads a configuration file. Each value that this server uses must have the right type.
///
/// # Errors
/// The fault with its position.
pub fn parse_file(path: &Path, content: io::Result<String>) -> Result<Table, Fault> {
    let text = content.map_err(|e| Fault::unreadable(path, &e))?;
    let table = parse_text(path, &text)?;
    // Deserialized from the text instead of the table, because only the text has positions.
    toml::from_str::<Settings>(&text).map_err(|e| Fault::in_file(path, &text, e.span(), e.message()))?;
    Ok(table)
}

/// Reads the configuration file `path` without checking its values.
///
/// # Errors
/// The fault with its position.
pub fn parse_text(path: &Path, text: &str) -> Result<Table, Fault> {
    let mut table: Table = toml::from_str(text).map_err(|e| Fault::in_file(path, text, e.span(), e.message()))?;
    if let Some(folder) = path.parent() {
        resolve_writable_roots(&mut table, folder);
    }
    Ok(table)
}

/// The check behind `--strict-config`: rejects unknown settings and invalid files.
///
/// # Errors
/// The texts are the reference program's.
pub fn check_strict(sources: &CatalogSources) -> Result<(), String> {
    if let Some(name) = known::first_unknown(&sources.overrides) {
        return Err(format!("unknown configuration field `{name}` in -c/--config override"));
    }
    let path = sources.user_config();
    let text = read_or_empty(&path).map_err(|e| Fault::unreadable(&path, &e).to_string())?;
    let strict = known::check_file(&path, &text).and_then(|()| parse_file(&path, Ok(text)).map(|_| ()));
    strict.map_err(|fault| fault.to_string())
}

/// Rejects what [`check_strict`] rejects, and values that no new thread could use.
///
/// # Errors
/// The fault, with its place if the user's file alone decides.
pub fn check(sources: &CatalogSources) -> Result<(), String> {
    check_strict(sources)?;
    let loaded = ConfigFiles::new(sources).load(sources, None, &Table::new()).map_err(|fault| fault.to_string())?;
    let Err((key, fault)) = loaded.settings.check_key() else { return Ok(()) };
    let path = sources.user_config();
    let text = read_or_empty(&path).unwrap_or_default();
    let place = DeTable::parse(&text).ok().and_then(|table| Some(table.get_ref().get_key_value(key)?.0.span()));
    match place.filter(|_| !sources.overrides.contains_key(key)) {
        Some(place) => Err(Fault::in_file(&path, &text, Some(place), fault.to_string()).to_string()),
        None => Err(format!("`{key}`: {fault}")),
    }
}

/// Relative writable roots are resolved against the directory of their file.
fn resolve_writable_roots(table: &mut Table, folder: &Path) {
    let sandbox = table.get_mut("sandbox_workspace_write").and_then(Value::as_table_mut);
    let roots = sandbox.and_then(|sandbox| sandbox.get_mut("writable_roots")).and_then(Value::as_array_mut);
    for root in roots.into_iter().flatten() {
        if let Value::String(path) = root {
            *path = folder.join(&*path).to_string_lossy().into_owned();
        }
    }
}
