//! `config/value/write` and `config/batchWrite`: the only code that writes the user's `config.toml`.
//!
//! Other programs write it, too. Those that use the lock take turns with us. A change by one that does not is noticed
//! before the file is replaced, and our edits are repeated on top of it.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::config::{EditRefused, Fault, KeyPath, Layer, Settings, apply, look_up, parse_text};
use super::reader::Reader;
use crate::cached_file::{LARGEST_FILE, read_or_empty};
use crate::protocol::RpcError;
use crate::protocol::config::{
    ConfigEdit, ConfigEditValue, ConfigLayerMetadata, ConfigLayerSource, ConfigWriteErrorCode as Code,
    ConfigWriteResponse, MergeStrategy, OverriddenMetadata, WriteStatus,
};
use crate::protocol::path::AbsolutePath;
use crate::protocol::thread::Unset;
use crate::replace::{NewFile, replace};

/// How often the edits are repeated on top of another program's change, so that a program that writes all the time
/// cannot cause an endless loop.
const ATTEMPTS: usize = 5;

impl Reader {
    /// Makes all `edits` or none, and says what counts now. The caller has the turn ([`super::lock`]).
    ///
    /// # Errors
    /// -32600 with a code for programs where the file must not be written, is not of `expected_version`, or would be
    /// faulty; -32603 where the file cannot be read or written.
    pub(super) fn write_config(
        &mut self,
        edits: &[ConfigEdit],
        file_path: Option<String>,
        expected_version: Option<String>,
    ) -> Result<ConfigWriteResponse, RpcError> {
        let file_path = named_file(file_path.as_deref(), &self.sources.user_config())?;
        let after = self.change_config(|text| apply(text, edits), expected_version.as_deref())?;
        let overridden_metadata = self.overridden(edits, &after);
        let status = if overridden_metadata.is_some() { WriteStatus::OkOverridden } else { WriteStatus::Ok };
        let version = self.metadata(&after).version;
        Ok(ConfigWriteResponse { status, version, file_path, overridden_metadata })
    }

    /// Changes the text of the user's `config.toml`; what it says then comes back. The caller has the turn.
    ///
    /// # Errors
    /// As [`Self::write_config`].
    pub(super) fn change_config(
        &mut self,
        change: impl Fn(&str) -> Result<String, EditRefused>,
        expected_version: Option<&str>,
    ) -> Result<Table, RpcError> {
        let path = self.sources.user_config();
        for _ in 0..ATTEMPTS {
            let text = read_or_empty(&path).map_err(|e| unreadable(&Fault::unreadable(&path, &e)))?;
            let before = parse_text(&path, &text).map_err(|fault| unreadable(&fault))?;
            if expected_version.is_some_and(|expected| expected != self.metadata(&before).version) {
                return Err(conflict());
            }
            let new = change(&text).map_err(|refused| invalid(refused.to_string()))?;
            let after = check(&path, &new)?;
            if new != text {
                if read_or_empty(&path).ok().as_ref() != Some(&text) {
                    continue;
                }
                replace(&path, new.as_bytes(), NewFile::Private)
                    .map_err(|e| RpcError::internal(format_args!("{}: {e}", path.display())))?;
            }
            return Ok(after);
        }
        Err(conflict())
    }

    /// Makes `id` the provider of new threads. The caller has the turn.
    ///
    /// # Errors
    /// As [`Self::write_config`], and -32600 for an unknown provider.
    pub(super) fn write_default_provider(&mut self, id: String) -> Result<ConfigWriteResponse, RpcError> {
        if self.settings(None).check_provider(&id).is_err() {
            return Err(RpcError::unknown_default_provider(&id));
        }
        let value = ConfigEditValue::Set(Value::from(id));
        let key_path = "model_provider".to_owned();
        self.write_config(&[ConfigEdit { key_path, merge_strategy: MergeStrategy::Replace, value }], None, None)
    }

    /// The user's layer as returned by `config/read`.
    fn metadata(&self, table: &Table) -> ConfigLayerMetadata {
        let file = self.sources.user_config().display().to_string();
        ConfigLayerMetadata::new(ConfigLayerSource::User { file, profile: Unset }, table)
    }

    /// The first edit that is overridden by a layer with higher precedence.
    fn overridden(&mut self, edits: &[ConfigEdit], user: &Table) -> Option<OverriddenMetadata> {
        // An invalid configuration has no effective values that could override.
        let loaded = self.files.load(&self.sources, None, &Table::new()).ok()?;
        let stronger = loaded.layers.0.iter().rev().take_while(|layer| !is_users(layer));
        let stronger: Vec<&Layer> = stronger.collect();
        edits.iter().find_map(|edit| {
            let KeyPath(path) = KeyPath::parse(&edit.key_path).ok()?;
            let effective: &Value = look_up(&loaded.table, &path)?;
            let layer = stronger.iter().find(|layer| look_up(&layer.table, &path).is_some())?;
            (look_up(user, &path) != Some(effective)).then(|| OverriddenMetadata {
                message: "Overridden by session flags".to_owned(),
                overriding_layer: layer.metadata(),
                effective_value: effective.clone(),
            })
        })
    }
}

fn is_users(layer: &Layer) -> bool {
    matches!(layer.source, ConfigLayerSource::User { .. })
}

/// Checks that the client's path is the user's own file, possibly by another name.
fn named_file(named: Option<&str>, own: &Path) -> Result<AbsolutePath, RpcError> {
    let readonly = || RpcError::config_not_written(Code::LayerReadonly, "Only writes to the user config are allowed");
    let named = AbsolutePath::new(named.map_or(own, Path::new)).ok_or_else(readonly)?;
    if real(named.as_path()) == real(own) { Ok(named) } else { Err(readonly()) }
}

/// The file itself need not exist.
fn real(path: &Path) -> Option<PathBuf> {
    Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
}

/// Checks that a text is a valid configuration.
fn check(path: &Path, text: &str) -> Result<Table, RpcError> {
    if text.len() > LARGEST_FILE {
        return Err(invalid(format_args!("the configuration would have more than {LARGEST_FILE} bytes")));
    }
    let table = parse_text(path, text).map_err(|fault| invalid(format_args!("Invalid configuration: {fault}")))?;
    Settings::from_table(&table).map_err(|fault| invalid(format_args!("Invalid configuration: {fault}")))?;
    Ok(table)
}

fn unreadable(fault: &Fault) -> RpcError {
    RpcError::internal(format_args!("failed to load configuration: {fault}"))
}

fn invalid(reason: impl std::fmt::Display) -> RpcError {
    RpcError::config_not_written(Code::ValidationError, reason)
}

fn conflict() -> RpcError {
    let text = "Configuration was modified since last read. Fetch latest version and retry.";
    RpcError::config_not_written(Code::VersionConflict, text)
}
