//! The identity of a thread.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A UUID. New ids are version 7: ids of later threads sort after ids of earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// The text of the error is part of the wire: existing clients know it.
    pub fn parse(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
