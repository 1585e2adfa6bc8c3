//! Ids of threads.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A UUID. New ids are of version 7, so later ids sort after earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ThreadId(Uuid);

impl ThreadId {
    /// Creates a new id.
    #[allow(clippy::new_without_default)] // A default that differs each time would surprise.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Parses an id from a client.
    ///
    /// # Errors
    /// The text is not a UUID.
    pub fn parse(text: &str) -> Result<Self, InvalidThreadId> {
        Uuid::parse_str(text).map(Self).map_err(|error| InvalidThreadId::explain(text, &error))
    }
}

/// Why the text of an id is invalid. The texts are the reference program's: clients know them, and those of the UUID
/// library change between versions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidThreadId {
    /// A character that is neither a hexadecimal digit nor a hyphen; the position counts from 1.
    #[error(
        "invalid character: expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-], found `{found}` at {at}"
    )]
    Character {
        /// The character.
        found: char,
        /// Its position, in bytes.
        at: usize,
    },
    /// Only digits, but not 32 of them.
    #[error("invalid length: expected length 32 for simple format, found {0}")]
    Length(usize),
    /// Misplaced hyphens.
    #[error("{0}")]
    Groups(String),
}

impl InvalidThreadId {
    fn explain(text: &str, error: &uuid::Error) -> Self {
        match text.char_indices().find(|(_, c)| !c.is_ascii_hexdigit() && *c != '-') {
            Some((index, found)) => Self::Character { found, at: index + 1 },
            None if !text.contains('-') => Self::Length(text.len()),
            None => Self::Groups(error.to_string()),
        }
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
