//! Typed values as the JSON text in which the database keeps them.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value of the database that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("a stored value cannot be used: {0}")]
pub struct StoredValueError(#[from] serde_json::Error);

/// The text of `value`.
///
/// # Errors
/// JSON cannot express it.
pub fn to_stored(value: &impl Serialize) -> Result<String, StoredValueError> {
    Ok(serde_json::to_string(value)?)
}

/// The value of `text`.
///
/// # Errors
/// The text was not written by [`to_stored`] for this type.
pub fn from_stored<T: DeserializeOwned>(text: &str) -> Result<T, StoredValueError> {
    Ok(serde_json::from_str(text)?)
}
