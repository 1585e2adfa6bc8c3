//! Whole messages: the members around params and results.

use serde_json::{Map, Value, json};

use super::Protocol;
use super::table::{DEFINITIONS, Row};

/// The types of whole messages, by name.
pub(super) fn definitions(protocol: &Protocol) -> Map<String, Value> {
    let id = reference("RequestId");
    let any_id = json!({"anyOf": [id, {"type": "null"}], "description": "Null for a request whose id is not usable."});
    let request = |row| message(protocol, row, &[("id", &id)], false);
    // The server reads null params as if there were none.
    let client_request = |row| message(protocol, row, &[("id", &id)], true);
    let notification = |row| message(protocol, row, &[], false);
    let emitted = json!({"type": "integer", "format": "int64", "description": "Unix milliseconds."});
    let stamped = |row| message(protocol, row, &[("emittedAtMs", &emitted)], false);
    let method = json!({"type": "string"});
    let types = [
        ("ClientRequest", union(protocol.client_requests.iter().map(client_request))),
        ("ClientNotification", union(protocol.client_notifications.iter().map(notification))),
        ("ServerRequest", union(protocol.server_requests.iter().map(request))),
        ("ServerNotification", union(protocol.server_notifications.iter().map(stamped))),
        ("JSONRPCRequest", object(&[("id", &id), ("method", &method)], &[("params", &json!({}))])),
        ("JSONRPCNotification", object(&[("method", &method)], &[("params", &json!({})), ("emittedAtMs", &emitted)])),
        ("JSONRPCResponse", object(&[("id", &id), ("result", &json!({}))], &[])),
        ("JSONRPCError", object(&[("id", &any_id), ("error", &reference("JSONRPCErrorError"))], &[])),
        ("JSONRPCMessage", union(ENVELOPES.iter().map(|name| reference(name)))),
    ];
    types.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

const ENVELOPES: [&str; 4] = ["JSONRPCRequest", "JSONRPCNotification", "JSONRPCResponse", "JSONRPCError"];

/// A kind of message with its method, its params, and `others`. `nullable` params may be null if they may be absent.
fn message(protocol: &Protocol, row: &Row, others: &[(&str, &Value)], nullable: bool) -> Value {
    let method = json!({"type": "string", "enum": [row.method]});
    let params = row.params.as_deref().map(|name| (reference(name), &protocol.definitions[name]));
    let mut required = vec![("method", &method)];
    required.extend(others);
    let mut schema = match &params {
        None => object(&required, &[]),
        Some((params, definition)) if definition.get("required").is_some() => {
            required.push(("params", params));
            object(&required, &[])
        }
        Some((params, _)) if !nullable => object(&required, &[("params", params)]),
        Some((params, _)) => object(&required, &[("params", &json!({"anyOf": [params, {"type": "null"}]}))]),
    };
    schema["title"] = Value::from(row.method.as_str());
    schema
}

fn object(required: &[(&str, &Value)], optional: &[(&str, &Value)]) -> Value {
    let members: Map<String, Value> =
        required.iter().chain(optional).map(|(name, schema)| ((*name).to_owned(), (*schema).clone())).collect();
    let required: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    json!({"type": "object", "properties": members, "required": required})
}

/// One of `variants`; without variants there is no value.
fn union(variants: impl Iterator<Item = Value>) -> Value {
    let variants: Vec<Value> = variants.collect();
    if variants.is_empty() { json!({"not": {}}) } else { json!({"oneOf": variants}) }
}

/// The reference to `name`.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("{DEFINITIONS}{name}")})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn params_that_may_be_absent_may_be_null_as_on_the_wire() {
        let definitions = definitions(&Protocol::describe(true));
        let requests = definitions["ClientRequest"]["oneOf"].as_array().unwrap();
        let params = |method: &str| {
            let request = requests.iter().find(|it| it["properties"]["method"]["enum"][0] == method).unwrap();
            request["properties"]["params"].clone()
        };
        for method in ["account/rateLimits/read", "account/usage/read", "configRequirements/read", "thread/list"] {
            assert_eq!(params(method)["anyOf"][1], json!({"type": "null"}), "{method}");
        }
        assert!(params("thread/read").get("anyOf").is_none(), "it needs an id");
    }
}
