//! The OpenRPC 1.3 document: the methods that clients call, with their types.
//!
//! OpenRPC only describes requests of clients. Notifications of the server are listed under `x-notifications` in the
//! same form. The scope that a method needs is its `x-scope`.

use serde_json::{Value, json};

use super::Protocol;
use super::table::{DEFINITIONS, Row};
use crate::protocol::API_VERSION;

pub(super) fn document(protocol: &Protocol) -> String {
    let methods = protocol.client_requests.iter().chain(&protocol.client_notifications);
    let document = json!({
        "openrpc": "1.3.2",
        "info": {"title": "codex app-server", "version": API_VERSION},
        "methods": methods.map(|row| method(protocol, row)).collect::<Vec<_>>(),
        "x-notifications": protocol.server_notifications.iter().map(|row| method(protocol, row)).collect::<Vec<_>>(),
        "components": {"schemas": protocol.definitions},
    });
    format!("{document:#}\n").replace(DEFINITIONS, "#/components/schemas/")
}

fn method(protocol: &Protocol, row: &Row) -> Value {
    let params = row.params.as_ref().map_or(&Value::Null, |name| &protocol.definitions[name]);
    let required = params["required"].as_array();
    let members = params["properties"].as_object();
    let descriptors: Vec<Value> = members
        .into_iter()
        .flatten()
        .map(|(name, schema)| {
            let is_required = required.is_some_and(|required| required.iter().any(|it| it == name));
            json!({"name": name, "required": is_required, "schema": schema})
        })
        .collect();
    let mut method = json!({"name": row.method, "paramStructure": "by-name", "params": descriptors});
    if let Some(description) = params.get("description") {
        method["description"] = description.clone();
    }
    if let Some(scope) = row.scope {
        method["x-scope"] = json!(scope);
    }
    if let Some(result) = &row.result {
        method["result"] = json!({"name": result, "schema": {"$ref": format!("{DEFINITIONS}{result}")}});
    }
    method
}
