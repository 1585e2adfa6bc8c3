//! The protocol that this server speaks, published for those who write clients: as JSON Schema, as TypeScript, and as
//! OpenRPC.
//!
//! Everything is made from what serves: the rows of [`super::METHODS`], the enums of notifications, the tables of
//! gated members, and the Rust types with their doc comments. Names and folders are those of the reference program's
//! own `generate-json-schema` and `generate-ts`, so that one output can stand in for the other.

mod json;
mod layout;
mod messages;
mod openrpc;
mod table;
mod typescript;
mod words;

use std::path::PathBuf;

pub use table::{Protocol, Row};

/// Marks members of results that are published with `--experimental` only.
pub const EXPERIMENTAL: &str = "x-experimental";

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Relative to the folder that the user chose.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
}

impl Protocol {
    /// The JSON Schema of each message and of each type that a message is made of, and all of them in one bundle.
    pub fn json_schema(&self) -> Vec<Document> {
        json::documents(self)
    }

    /// The same types in TypeScript, one a file, and an index of them.
    pub fn typescript(&self) -> Vec<Document> {
        typescript::documents(self)
    }

    /// The methods as one OpenRPC document.
    pub fn openrpc(&self) -> String {
        openrpc::document(self)
    }
}
