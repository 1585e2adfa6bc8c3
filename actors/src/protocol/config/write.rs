//! `config/value/write` and `config/batchWrite`.

use std::fmt::{self, Display};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::ConfigLayerMetadata;
use super::read::to_json;
use crate::protocol::optional::null_is_default;
use crate::protocol::path::AbsolutePath;
use crate::protocol::quoted::quoted;
use crate::protocol::{ErrorCode, RpcError};

/// Params of `config/value/write`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigValueWriteParams {
    /// The change.
    #[serde(flatten)]
    pub edit: ConfigEdit,
    /// File to write; only the user's own `config.toml` is accepted. Default: that file.
    pub file_path: Option<String>,
    /// Version that the client expects. If the current version differs, nothing is written.
    pub expected_version: Option<String>,
}

/// Params of `config/batchWrite`. Either all edits are applied in order, or none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigBatchWriteParams {
    /// The changes.
    pub edits: Vec<ConfigEdit>,
    /// See `config/value/write`.
    pub file_path: Option<String>,
    /// See `config/value/write`.
    pub expected_version: Option<String>,
    /// Whether loaded threads adopt the changes. No effect in this server: threads keep the settings that they started
    /// with.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub reload_user_config: bool,
}

/// One change of the configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigEdit {
    /// Dotted key. Quote a part that contains a dot: `projects."/a.b".trust_level`.
    pub key_path: String,
    /// What happens to an existing table.
    pub merge_strategy: MergeStrategy,
    /// New value; null removes the setting.
    pub value: ConfigEditValue,
}

/// What happens to an existing table. Any other existing value is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MergeStrategy {
    /// The new value replaces the table.
    Replace,
    /// The members of the new table are merged into the existing table.
    Upsert,
}

/// A value to set.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(inline, with = "Value")]
pub enum ConfigEditValue {
    /// Null: removes the setting.
    Remove,
    /// A value that TOML can express.
    Set(toml::Value),
    /// A value that TOML cannot express, with the reason.
    Inexpressible(String),
}

impl<'de> Deserialize<'de> for ConfigEditValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Self::Remove,
            value => to_toml(value).map_or_else(Self::Inexpressible, Self::Set),
        })
    }
}

fn to_toml(value: Value) -> Result<toml::Value, String> {
    Ok(match value {
        Value::Null => return Err("invalid type: null, expected any valid TOML value".to_owned()),
        Value::Bool(yes) => toml::Value::Boolean(yes),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => toml::Value::Integer(number),
            (None, Some(_), _) => return Err("u64 value was too large".to_owned()),
            (None, None, Some(number)) => toml::Value::Float(number),
            (None, None, None) => return Err(format!("{number} is no number that TOML has")),
        },
        Value::String(text) => toml::Value::String(text),
        Value::Array(items) => toml::Value::Array(items.into_iter().map(to_toml).collect::<Result<_, _>>()?),
        Value::Object(members) => {
            let member = |(name, value)| to_toml(value).map(|value| (name, value));
            toml::Value::Table(members.into_iter().map(member).collect::<Result<_, _>>()?)
        }
    })
}

/// Result of `config/value/write` and `config/batchWrite`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigWriteResponse {
    /// Whether the written value is in effect.
    pub status: WriteStatus,
    /// New version of the file.
    pub version: String,
    /// The written file.
    pub file_path: AbsolutePath,
    /// Why a written value is not in effect; the first one if there are several.
    pub overridden_metadata: Option<OverriddenMetadata>,
}

/// Whether the written value is in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WriteStatus {
    /// The written values are in effect.
    Ok,
    /// A layer with higher precedence overrides a written value.
    OkOverridden,
}

/// Why a written value is not in effect.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverriddenMetadata {
    /// For a person.
    pub message: String,
    /// The layer that overrides it.
    pub overriding_layer: ConfigLayerMetadata,
    /// The value in effect.
    #[serde(serialize_with = "value_as_json")]
    #[schemars(with = "Value")]
    pub effective_value: toml::Value,
}

fn value_as_json<S: serde::Serializer>(value: &toml::Value, serializer: S) -> Result<S::Ok, S::Error> {
    to_json(value).serialize(serializer)
}

/// Why a configuration was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigWriteErrorCode {
    /// The file is not the user's own configuration.
    LayerReadonly,
    /// The file has changed since the client read it.
    VersionConflict,
    /// The edit cannot be made, or what would come of it cannot be used.
    ValidationError,
}

impl fmt::Display for ConfigWriteErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LayerReadonly => "configLayerReadonly",
            Self::VersionConflict => "configVersionConflict",
            Self::ValidationError => "configValidationError",
        })
    }
}

impl RpcError {
    /// -32600: a configuration was not written.
    pub fn config_not_written(code: ConfigWriteErrorCode, message: impl Display) -> Self {
        let data = Some(json!({"config_write_error_code": code.to_string()}));
        Self { data, ..Self::new(ErrorCode::InvalidRequest, message) }
    }

    /// -32600: provider `id`, which is to become the default, does not exist.
    pub fn unknown_default_provider(id: &str) -> Self {
        let text = format_args!("Model provider `{}` is not configured.", quoted(id));
        Self::config_not_written(ConfigWriteErrorCode::ValidationError, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_toml_where_toml_has_them() {
        let read = |json: Value| serde_json::from_value::<ConfigEditValue>(json).unwrap();
        let set = |text: &str| ConfigEditValue::Set(toml::from_str::<toml::Table>(text).unwrap()["v"].clone());
        assert_eq!(read(Value::Null), ConfigEditValue::Remove);
        assert_eq!(read(json!({"a": [1, "x", true, 1.5]})), set("v = { a = [1, 'x', true, 1.5] }"));
        assert!(matches!(read(json!([null])), ConfigEditValue::Inexpressible(why) if why.contains("null")));
        assert!(matches!(read(json!(u64::MAX)), ConfigEditValue::Inexpressible(why) if why.contains("too large")));
    }

    #[test]
    fn a_value_may_be_null_but_not_missing() {
        let read = |json| serde_json::from_value::<ConfigValueWriteParams>(json);
        let edit = json!({"keyPath": "model", "mergeStrategy": "replace"});
        assert_eq!(read(edit.clone()).unwrap_err().to_string(), "missing field `value`");
        let mut with_null = edit;
        with_null["value"] = Value::Null;
        assert_eq!(read(with_null).unwrap().edit.value, ConfigEditValue::Remove);
    }
}
