//! The published protocol for authors of clients: JSON Schema, TypeScript, and OpenRPC.
//!
//! It is generated from the code that serves: the rows of [`super::METHODS`], the enums of notifications, the tables of
//! gated members, and the Rust types with their doc comments. Names and directories are those of the reference
//! program's `generate-json-schema` and `generate-ts`, so that the outputs are interchangeable.

mod json;
mod layout;
mod mark;
mod members;
mod messages;
mod openrpc;
mod table;
mod typescript;
mod words;

use std::path::PathBuf;

pub use mark::EXPERIMENTAL;
pub use table::{Protocol, Row};

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Path relative to the output directory.
    pub path: PathBuf,
    /// The content.
    pub text: String,
}

impl Protocol {
    /// The JSON Schema of each message and each type, and a bundle of all.
    pub fn json_schema(&self) -> Vec<Document> {
        json::documents(self)
    }

    /// The types in TypeScript, one per file, and an index.
    pub fn typescript(&self) -> Vec<Document> {
        typescript::documents(self)
    }

    /// The methods as an OpenRPC document.
    pub fn openrpc(&self) -> String {
        openrpc::document(self)
    }
}
