//! Conversion between typed values and the JSON text that is stored in the database.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that cannot be encoded for the database or decoded from it.
#[derive(Debug, thiserror::Error)]
#[error("a stored value cannot be used: {0}")]
pub struct StoredValueError(#[from] serde_json::Error);

/// Encodes `value`.
///
/// # Errors
/// JSON cannot express the value.
pub fn to_stored(value: &impl Serialize) -> Result<String, StoredValueError> {
    Ok(serde_json::to_string(value)?)
}

/// Decodes `text`.
///
/// # Errors
/// The text was not written by [`to_stored`] for this type.
pub fn from_stored<T: DeserializeOwned>(text: &str) -> Result<T, StoredValueError> {
    Ok(serde_json::from_str(text)?)
}
