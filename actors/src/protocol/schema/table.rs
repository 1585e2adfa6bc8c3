//! The table of all messages, with the schema of every type.

use std::collections::BTreeSet;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

use super::{EXPERIMENTAL, messages, words};
use crate::protocol::notification::NotificationRow;
use crate::protocol::scope::Scope;
use crate::protocol::server_request::{SERVER_REQUESTS, ServerRequestRow};
use crate::protocol::{
    ClientNotification, ClientRequest, Gate, METHODS, Method, RequestId, RpcError, ServerNotification,
};

/// Prefix of references between types.
pub(super) const DEFINITIONS: &str = "#/definitions/";

/// A kind of message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The name on the wire.
    pub method: String,
    /// The type of the params; `None` for a message without params.
    pub params: Option<String>,
    /// The type of the result; `None` for a notification.
    pub result: Option<String>,
    /// The scope that a client needs for it; `None` for the handshake and for everything that is no client's request.
    pub scope: Option<Scope>,
}

/// All kinds of messages and their types.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// Requests of clients.
    pub client_requests: Vec<Row>,
    /// Notifications of clients.
    pub client_notifications: Vec<Row>,
    /// What the server asks.
    pub server_requests: Vec<Row>,
    /// Notifications of the server.
    pub server_notifications: Vec<Row>,
    /// The schema (draft 7) of each type. References have the form `#/definitions/Type`.
    pub definitions: Map<String, Value>,
}

impl Protocol {
    /// Describes the protocol for all clients, or with `experimental` for clients with the `experimentalApi`
    /// capability.
    pub fn describe(experimental: bool) -> Self {
        // Schemas for reading and writing differ: a client may omit members that the server always writes.
        let mut read = SchemaSettings::draft07().for_deserialize().into_generator();
        let mut written = SchemaSettings::draft07().for_serialize().into_generator();
        let methods = METHODS.iter().filter(|method| experimental || method.gate == Gate::Stable);
        let mut protocol = Self {
            client_requests: methods.map(|method| request(method, &mut read, &mut written)).collect(),
            client_notifications: notifications::<ClientNotification>(&[], &mut read),
            server_requests: SERVER_REQUESTS.iter().map(|row| server_request(*row, &mut read, &mut written)).collect(),
            server_notifications: notifications::<ServerNotification>(ServerNotification::TABLE, &mut written),
            definitions: Map::new(),
        };
        read.subschema_for::<RequestId>();
        written.subschema_for::<RpcError>();
        // A type that is both read and written has the schema for reading, which is valid for writing, too.
        protocol.definitions = written.take_definitions(true);
        protocol.definitions.extend(read.take_definitions(true));
        if !experimental {
            protocol.leave_out_experimental_members();
        }
        protocol.leave_out_unused_types();
        protocol.definitions.extend(messages::definitions(&protocol));
        protocol.definitions.values_mut().for_each(words::for_readers);
        protocol
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.client_requests
            .iter()
            .chain(&self.client_notifications)
            .chain(&self.server_requests)
            .chain(&self.server_notifications)
    }

    /// `root` and all types that it refers to.
    pub(super) fn types_behind<'a>(&'a self, root: &'a Value) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut left = vec![root];
        while let Some(schema) = left.pop() {
            for name in references(schema) {
                if found.insert(name) {
                    left.extend(self.definitions.get(name));
                }
            }
        }
        found
    }

    fn leave_out_experimental_members(&mut self) {
        for member in ClientRequest::experimental_members() {
            let Some((method, member)) = member.split_once('.') else { continue };
            let row = self.client_requests.iter().find(|row| row.method == method);
            if let Some(params) = row.and_then(|row| self.definitions.get_mut(row.params.as_deref()?)) {
                leave_out(params, member);
            }
        }
        for schema in self.definitions.values_mut() {
            let Some(members) = schema["properties"].as_object() else { continue };
            let marked = members.iter().filter(|(_, member)| member[EXPERIMENTAL] == true);
            for member in marked.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
                leave_out(schema, &member);
            }
        }
    }

    fn leave_out_unused_types(&mut self) {
        let requests = self.client_requests.iter().chain(&self.server_requests);
        let results = requests.filter_map(|row| row.result.as_deref()).map(messages::reference);
        let messages = messages::definitions(self).into_iter().map(|(_, message)| message);
        let roots: Value = results.chain(messages).collect();
        let used: BTreeSet<String> = self.types_behind(&roots).into_iter().map(str::to_owned).collect();
        self.definitions.retain(|name, _| used.contains(name));
    }
}

fn request(method: &Method, read: &mut SchemaGenerator, written: &mut SchemaGenerator) -> Row {
    let stem = method.types.map_or_else(|| pascal(method.name), str::to_owned);
    let params = method.signature.params(read);
    let result = method.signature.result(written);
    Row {
        method: method.name.to_owned(),
        params: Some(named(params, format!("{stem}Params"), read)),
        result: Some(named(result, format!("{stem}Response"), written)),
        scope: method.scope,
    }
}

fn server_request(row: &dyn ServerRequestRow, read: &mut SchemaGenerator, written: &mut SchemaGenerator) -> Row {
    let stem = pascal(row.name());
    let (params, answer) = (row.params(written), row.answer(read));
    Row {
        method: row.name().to_owned(),
        params: Some(named(params, format!("{stem}Params"), written)),
        result: Some(named(answer, format!("{stem}Response"), read)),
        scope: None,
    }
}

/// The variants of an enum of messages, each with its method and, where it has any, its params. `table` names the
/// params whose name does not follow from their method.
fn notifications<T: JsonSchema>(table: &[NotificationRow], generator: &mut SchemaGenerator) -> Vec<Row> {
    let union = T::json_schema(generator).to_value();
    let variants = union["oneOf"].as_array().into_iter().flatten();
    variants
        .filter_map(|variant| {
            let method = variant["properties"]["method"]["const"].as_str()?.to_owned();
            let params = Schema::try_from(variant["properties"]["params"].clone()).ok();
            let params = params.map(|mut params| {
                if let (Some(description), None) = (variant.get("description"), params.get("$ref")) {
                    params.insert("description".to_owned(), description.clone());
                }
                let known = table.iter().find(|row| row.name == method).and_then(|row| row.params);
                let stem = known.map_or_else(|| pascal(&method), str::to_owned);
                named(params, format!("{stem}Notification"), generator)
            });
            Some(Row { method, params, result: None, scope: None })
        })
        .collect()
}

/// The name of a type: its own, or `name` for a type that several methods share.
fn named(schema: Schema, name: String, generator: &mut SchemaGenerator) -> String {
    if let Some(own) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix(DEFINITIONS)) {
        return own.to_owned();
    }
    generator.definitions_mut().insert(name.clone(), schema.to_value());
    name
}

fn leave_out(schema: &mut Value, member: &str) {
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        members.remove(member);
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != member);
    }
}

/// The types that `schema` refers to directly.
fn references(schema: &Value) -> Vec<&str> {
    match schema {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix(DEFINITIONS));
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Converts `thread/name/set` to `ThreadNameSet`.
fn pascal(method: &str) -> String {
    method
        .split('/')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters)).into_iter().flatten()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gated_is_published_on_demand_only() {
        let (all, stable) = (Protocol::describe(true), Protocol::describe(false));
        for member in ClientRequest::experimental_members() {
            let (method, member) = member.split_once('.').unwrap();
            let Some(row) = all.client_requests.iter().find(|row| row.method == method) else { continue };
            let params = row.params.as_deref().unwrap();
            assert!(all.definitions[params]["properties"].get(member).is_some(), "{params} has no {member}");
            assert!(stable.definitions[params]["properties"].get(member).is_none(), "{params}.{member}");
        }
        assert!(all.definitions["Thread"]["properties"].get("environments").is_some());
        assert!(stable.definitions["Thread"]["properties"].get("environments").is_none());
        assert!(!stable.definitions["Thread"]["required"].to_string().contains("environments"));
        assert!(!all.definitions.values().any(|schema| schema.to_string().contains(EXPERIMENTAL)));
    }

    #[test]
    fn descriptions_speak_no_rust() {
        for (name, schema) in Protocol::describe(true).definitions {
            let text = schema.to_string();
            for word in ["::", "`None`", "`Some", "Self", "[`"] {
                assert!(!text.contains(word), "{name}: {word} in {text}");
            }
        }
    }

    #[test]
    fn every_message_has_its_row() {
        let protocol = Protocol::describe(true);
        assert_eq!(protocol.client_requests.len(), METHODS.len());
        assert_eq!(protocol.client_notifications.len(), 1);
        assert!(protocol.server_notifications.iter().all(|row| row.params.is_some()));
        let archive = protocol.client_requests.iter().find(|row| row.method == "thread/archive").unwrap();
        assert_eq!(archive.params.as_deref(), Some("ThreadArchiveParams"), "shared types are called by their method");
    }
}
