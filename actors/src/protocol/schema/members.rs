//! Checks params against their schema, for people who type them: a server ignores members that it does not know.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Protocol;
use super::table::DEFINITIONS;
use crate::protocol::raw::RawParams;

/// A member that the schema does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMember {
    /// Where it stands, as in `sandboxPolicy.writableRoot`.
    pub path: String,
    /// Its own name.
    pub name: String,
    /// The members that there are in its place.
    pub known: Vec<String>,
}

impl Protocol {
    /// Whether the params of `method` have the member `name`. False for a method that is not known.
    pub fn has_member(&self, method: &str, name: &str) -> bool {
        self.params(method).is_some_and(|schema| self.members(schema).is_some_and(|known| known.contains(name)))
    }

    /// The members of `params` that `method` does not know, at any depth. None for a method that is not known.
    pub fn unknown_members(&self, method: &str, params: &RawParams) -> Vec<UnknownMember> {
        let mut unknown = Vec::new();
        if let Some(schema) = self.params(method) {
            self.compare(schema, &params.value(), "", &mut unknown);
        }
        unknown
    }

    fn params(&self, method: &str) -> Option<&Value> {
        let row = self.client_requests.iter().find(|row| row.method == method)?;
        self.definitions.get(row.params.as_ref()?)
    }

    fn compare(&self, schema: &Value, value: &Value, path: &str, unknown: &mut Vec<UnknownMember>) {
        match value {
            Value::Object(members) => {
                let Some(known) = self.members(schema) else { return };
                for (name, value) in members {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    if !known.contains(name.as_str()) {
                        let known = known.iter().map(|&name| name.to_owned()).collect();
                        unknown.push(UnknownMember { path, name: name.clone(), known });
                        continue;
                    }
                    for schema in self.variants(schema) {
                        if let Some(schema) = schema.get("properties").and_then(|it| it.get(name)) {
                            self.compare(schema, value, &path, unknown);
                            break;
                        }
                    }
                }
            }
            Value::Array(elements) => {
                let items = self.variants(schema).into_iter().find_map(|schema| schema.get("items"));
                for (at, element) in elements.iter().enumerate() {
                    if let Some(schema) = items {
                        self.compare(schema, element, &format!("{path}[{at}]"), unknown);
                    }
                }
            }
            _ => {}
        }
    }

    /// The names of all members that an object of this schema may have; `None` if it may have any, or is no object.
    fn members<'a>(&'a self, schema: &'a Value) -> Option<BTreeSet<&'a str>> {
        let mut names = BTreeSet::new();
        let mut is_object = false;
        for schema in self.variants(schema) {
            if schema.get("additionalProperties").is_some_and(|others| *others != Value::Bool(false)) {
                return None;
            }
            let properties = schema.get("properties").and_then(Value::as_object);
            is_object |= properties.is_some() || schema.get("type").is_some_and(|kind| *kind == "object");
            if schema.get("type").is_some_and(|kind| *kind == "object") && properties.is_none() && !is_empty(schema) {
                return None;
            }
            names.extend(properties.into_iter().flat_map(|all| all.keys().map(String::as_str)));
        }
        is_object.then_some(names)
    }

    /// The schema itself and everything that it is made of, references followed.
    fn variants<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        /// Enough for every schema of ours; a circle of references ends here.
        const MOST: usize = 200;
        let (mut waiting, mut all) = (vec![schema], Vec::new());
        while let Some(schema) = waiting.pop()
            && all.len() < MOST
        {
            let named = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix(DEFINITIONS));
            waiting.extend(named.and_then(|name| self.definitions.get(name)));
            for list in ["anyOf", "oneOf", "allOf"] {
                waiting.extend(schema.get(list).and_then(Value::as_array).into_iter().flatten());
            }
            all.push(schema);
        }
        all
    }
}

/// Whether objects of this schema are empty on purpose: they are the params of a method without params.
fn is_empty(schema: &Value) -> bool {
    schema.get("additionalProperties") == Some(&Value::Bool(false)) || schema.get("description").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(method: &str, params: &str) -> Vec<String> {
        let params = RawParams::from_json(params).unwrap();
        Protocol::describe(true).unknown_members(method, &params).into_iter().map(|it| it.path).collect()
    }

    #[test]
    fn members_are_looked_for_at_every_depth() {
        let none: [&str; 0] = [];
        assert_eq!(unknown("thread/list", r#"{"limit":1,"limt":2}"#), ["limt"]);
        assert_eq!(unknown("turn/start", r#"{"threadId":"x","input":[{"type":"text","txt":"y"}]}"#), ["input[0].txt"]);
        let policy = r#"{"threadId":"x","input":[],"sandboxPolicy":{"type":"workspaceWrite","networkAcess":true}}"#;
        assert_eq!(unknown("turn/start", policy), ["sandboxPolicy.networkAcess"]);
        assert_eq!(unknown("thread/start", r#"{"config":{"any.key":1},"cwd":null}"#), none);
        assert_eq!(unknown("no/such", r#"{"a":1}"#), none);
        assert_eq!(unknown("model/list", "null"), none);
    }

    #[test]
    fn a_method_has_a_member_or_not() {
        let protocol = Protocol::describe(true);
        assert!(protocol.has_member("thread/start", "cwd") && protocol.has_member("command/exec", "cwd"));
        assert!(!protocol.has_member("thread/read", "cwd") && !protocol.has_member("no/such", "cwd"));
    }
}
