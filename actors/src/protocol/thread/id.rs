//! The identity of a thread.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A UUID. New ids are version 7: ids of later threads sort after ids of earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ThreadId(Uuid);

impl ThreadId {
    /// A fresh id.
    #[allow(clippy::new_without_default)] // A default that differs each time would surprise.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Reads an id as clients write it.
    ///
    /// # Errors
    /// The text is no UUID.
    pub fn parse(text: &str) -> Result<Self, InvalidThreadId> {
        Uuid::parse_str(text).map(Self).map_err(|error| InvalidThreadId::explain(text, &error))
    }
}

/// What is wrong with the text of an id, in the reference program's words: clients know them, and those of our UUID
/// library change from version to version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidThreadId {
    /// Something else than a hexadecimal digit or a hyphen; the position counts from 1.
    #[error(
        "invalid character: expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-], found `{found}` at {at}"
    )]
    Character {
        /// The character.
        found: char,
        /// Where it is, in bytes.
        at: usize,
    },
    /// Digits only, but not 32 of them.
    #[error("invalid length: expected length 32 for simple format, found {0}")]
    Length(usize),
    /// Hyphens in the wrong places.
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
