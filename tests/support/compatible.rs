//! Whether everything that one JSON schema allows is allowed by another one.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::schemas::Schemas;

/// A schema and the set of types to which it refers.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    schema: &'a Value,
    definitions: &'a Value,
}

impl<'a> Side<'a> {
    /// The type `name` of `schemas`.
    pub fn new(schemas: &'a Schemas, name: &str) -> Self {
        Self { schema: &schemas.definitions[name], definitions: &schemas.definitions }
    }

    fn at(self, schema: &'a Value) -> Self {
        Self { schema, ..self }
    }

    /// The schema behind a name, and that name.
    fn resolved(self) -> (Self, Option<&'a str>) {
        let schema = match self.schema["allOf"].as_array().map(Vec::as_slice) {
            Some([only]) => only,
            _ => self.schema,
        };
        match schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/definitions/")) {
            Some(name) => (self.at(&self.definitions[name]).resolved().0, Some(name)),
            None => (self.at(schema), None),
        }
    }

    fn allows_anything(self) -> bool {
        let constrains = |members: &Map<String, Value>| {
            ["type", "anyOf", "oneOf", "enum", "const", "not", "properties"].iter().any(|it| members.contains_key(*it))
        };
        *self.schema == Value::Bool(true) || self.schema.as_object().is_some_and(|members| !constrains(members))
    }

    fn allows_nothing(self) -> bool {
        self.schema.get("not").is_some() || *self.schema == Value::Bool(false)
    }

    fn properties(self) -> Option<&'a Map<String, Value>> {
        self.schema["properties"].as_object()
    }

    fn requires(self, member: &str) -> bool {
        self.schema["required"].as_array().is_some_and(|names| names.iter().any(|name| name == member))
    }

    /// The alternatives of a union, each as one kind of value: a constant or the name of a type, and the schema.
    fn alternatives(self) -> Vec<(Value, Self)> {
        let (this, _) = self.resolved();
        let union = this.schema["anyOf"].as_array().or_else(|| this.schema["oneOf"].as_array());
        if let Some(variants) = union {
            return variants.iter().flat_map(|variant| this.at(variant).alternatives()).collect();
        }
        let constants =
            this.schema["enum"].as_array().cloned().or_else(|| Some(vec![this.schema.get("const")?.clone()]));
        if let Some(constants) = constants {
            return constants.into_iter().map(|constant| (constant, this)).collect();
        }
        match &this.schema["type"] {
            Value::Array(kinds) => kinds.iter().map(|kind| (Value::Array(vec![kind.clone()]), this)).collect(),
            // In a list of its own, so that it is not mistaken for a constant.
            kind => vec![(Value::Array(vec![kind.clone()]), this)],
        }
    }
}

/// What one type allows and the other does not, each in a line that names the nearest type with a name.
pub struct Comparison {
    /// Whether our type is the narrow one, which we send, or the wide one, which we take.
    ours_is_narrow: bool,
    /// What was found.
    found: BTreeSet<String>,
    seen: HashSet<(String, String)>,
}

impl Comparison {
    /// What our type, which we send, allows and theirs does not.
    pub fn of_sent(ours: Side<'_>, theirs: Side<'_>, name: &str) -> BTreeSet<String> {
        Self::run(true, ours, theirs, name)
    }

    /// What their type allows and ours, which we take, does not.
    pub fn of_taken(theirs: Side<'_>, ours: Side<'_>, name: &str) -> BTreeSet<String> {
        Self::run(false, theirs, ours, name)
    }

    fn run(ours_is_narrow: bool, narrow: Side<'_>, wide: Side<'_>, name: &str) -> BTreeSet<String> {
        let mut comparison = Self { ours_is_narrow, found: BTreeSet::new(), seen: HashSet::new() };
        comparison.compare(narrow, wide, name);
        comparison.found
    }

    fn compare(&mut self, narrow: Side<'_>, wide: Side<'_>, place: &str) {
        let ((narrow, narrow_name), (wide, wide_name)) = (narrow.resolved(), wide.resolved());
        if let (Some(narrow_name), Some(wide_name)) = (narrow_name, wide_name)
            && !self.seen.insert((narrow_name.to_owned(), wide_name.to_owned()))
        {
            return;
        }
        let place = wide_name.or(narrow_name).unwrap_or(place);
        if wide.allows_anything() || narrow.allows_nothing() {
            return;
        }
        if narrow.allows_anything() {
            return self.found(place, "anything");
        }
        let wide_alternatives = wide.alternatives();
        for (kind, narrow) in narrow.alternatives() {
            let fits = wide_alternatives.iter().filter(|(wide_kind, _)| is_part_of(&kind, wide_kind));
            let attempts = fits.map(|(_, wide)| {
                let mut attempt = Self { found: BTreeSet::new(), seen: self.seen.clone(), ..*self };
                attempt.compare_parts(narrow, *wide, place);
                attempt
            });
            match attempts.min_by_key(|attempt| attempt.found.len()) {
                Some(best) => {
                    self.found.extend(best.found);
                    self.seen.extend(best.seen);
                }
                None => self.found(place, &kind.to_string()),
            }
        }
    }

    fn compare_parts(&mut self, narrow: Side<'_>, wide: Side<'_>, place: &str) {
        if let Some(items) = narrow.schema.get("items")
            && let Some(wide_items) = wide.schema.get("items")
        {
            self.compare(narrow.at(items), wide.at(wide_items), &format!("{place}[]"));
        }
        let (Some(narrow_members), Some(wide_members)) = (narrow.properties(), wide.properties()) else { return };
        for (name, wide_member) in wide_members {
            let place = format!("{place}.{name}");
            match narrow_members.get(name) {
                Some(member) => self.compare(narrow.at(member), wide.at(wide_member), &place),
                None if wide.requires(name) => self.found(&place, "missing"),
                None if !self.ours_is_narrow => self.found(&place, "unknown"),
                None => {}
            }
            if narrow_members.contains_key(name) && wide.requires(name) && !narrow.requires(name) {
                self.found(&place, "may be absent");
            }
            if !self.ours_is_narrow && narrow.requires(name) && !wide.requires(name) {
                self.found(&place, "need not be there");
            }
        }
        for name in narrow_members.keys().filter(|name| !wide_members.contains_key(*name)) {
            if self.ours_is_narrow {
                self.found(&format!("{place}.{name}"), "unknown");
            }
        }
    }

    fn found(&mut self, place: &str, what: &str) {
        self.found.insert(format!("{place}: {what}"));
    }
}

/// Whether all values of one kind are values of the other.
fn is_part_of(narrow: &Value, wide: &Value) -> bool {
    let type_of = |kind: &Value| match kind {
        Value::Array(kind) => kind[0].as_str().unwrap_or_default().to_owned(),
        Value::String(_) => "string".to_owned(),
        _ => String::new(),
    };
    let integers_are_numbers = type_of(narrow) == "integer" && type_of(wide) == "number";
    narrow == wide || (wide.is_array() && (type_of(narrow) == type_of(wide) || integers_are_numbers))
}
