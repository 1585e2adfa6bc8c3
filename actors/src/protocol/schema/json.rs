//! JSON Schema (draft 7): one file per message and per type of params and results, and a bundle of all types.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{Document, Protocol, layout, messages};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The name of the bundle that existing generators expect.
const BUNDLE: &str = "codex_app_server_protocol.v2.schemas.json";

pub(super) fn documents(protocol: &Protocol) -> Vec<Document> {
    let messages = messages::definitions(protocol);
    let of_rows = protocol.rows().flat_map(|row| row.params.iter().chain(&row.result));
    let roots: BTreeSet<&str> =
        messages.keys().chain(of_rows).map(String::as_str).chain(["JSONRPCErrorError", "RequestId"]).collect();
    let mut documents: Vec<Document> =
        roots.iter().map(|name| document(layout::json_file(name), &alone(protocol, name))).collect();
    documents.push(document(
        PathBuf::from(BUNDLE),
        &json!({
            "$schema": DRAFT,
            "title": "CodexAppServerProtocolV2",
            "type": "object",
            "definitions": protocol.definitions,
        }),
    ));
    documents
}

/// The type `name` with all types that it refers to.
fn alone(protocol: &Protocol, name: &str) -> Value {
    let mut schema = protocol.definitions[name].clone();
    schema["$schema"] = Value::from(DRAFT);
    schema["title"] = Value::from(name);
    let parts: Map<String, Value> = protocol
        .types_behind(&protocol.definitions[name])
        .into_iter()
        .map(|part| (part.to_owned(), protocol.definitions[part].clone()))
        .collect();
    if !parts.is_empty() {
        schema["definitions"] = Value::Object(parts);
    }
    schema
}

fn document(path: PathBuf, schema: &Value) -> Document {
    // The alternate format of a value is pretty-printed.
    Document { path, text: format!("{schema:#}\n") }
}
