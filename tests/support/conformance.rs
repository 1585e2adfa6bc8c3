//! Every message that a client of this suite receives is checked against the reference program's JSON schema, where a
//! checkout has it beside the package; elsewhere only the form that JSON-RPC gives to a message is checked.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

/// Results whose type is not named after the method's params.
const RESULT_TYPES: &[(&str, &str)] = &[
    ("account/rateLimits/read", "GetAccountRateLimitsResponse"),
    ("config/batchWrite", "ConfigWriteResponse"),
    ("config/value/write", "ConfigWriteResponse"),
];

static SCHEMAS: LazyLock<Option<Schemas>> = LazyLock::new(Schemas::load);

/// Where the schema stands when a checkout has it.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference")
}

/// True when messages are checked against the schema.
pub fn has_schema() -> bool {
    SCHEMAS.is_some()
}

/// Checks a message of the server; `method` is that of the request which it answers, if it answers one of ours.
pub fn check(message: &Value, method: Option<&str>) {
    let members = message.as_object().unwrap_or_else(|| panic!("not an object: {message}"));
    assert!(!members.contains_key("jsonrpc"), "the server never writes `jsonrpc`: {message}");
    if let Some(name) = message["method"].as_str() {
        assert!(message["emittedAtMs"].is_i64(), "a notification says when it was made: {message}");
        if let Some(schemas) = &*SCHEMAS {
            schemas.check_notification(name, &message["params"]);
        }
    } else if let Some(error) = message.get("error") {
        let well_formed =
            error["code"].is_i64() && error["message"].is_string() && error.get("data") != Some(&Value::Null);
        assert!(well_formed && members.len() == 2, "an ill-formed error: {message}");
    } else {
        assert!(members.len() == 2 && members.contains_key("id"), "an ill-formed answer: {message}");
        if let (Some(schemas), Some(method)) = (&*SCHEMAS, method) {
            schemas.check_result(method, &message["result"]);
        }
    }
}

/// Members that the schema names and the result of `method` leaves out, wherever they are; a result of this server
/// writes them all, as null where it has nothing to say.
pub fn absent_members(method: &str, result: &Value) -> Vec<String> {
    let mut absent = Vec::new();
    if let Some((schemas, name)) = SCHEMAS.as_ref().and_then(|schemas| Some((schemas, schemas.results.get(method)?))) {
        schemas.collect_absent(&schemas.definitions[name], result, name, &mut absent);
    }
    absent
}

struct Schemas {
    definitions: Value,
    results: HashMap<String, String>,
    notifications: HashMap<String, String>,
    /// Compiled at the first use; keyed by the name of the type.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Schemas {
    fn load() -> Option<Self> {
        let mut types = read("codex_app_server_protocol.v2.schemas.json")?;
        let notifications = types_by_method(&read("ServerNotification.json")?);
        let results = types_by_method(&read("ClientRequest.json")?)
            .into_iter()
            .map(|(method, params)| (method, format!("{}Response", params.trim_end_matches("Params"))))
            .chain(RESULT_TYPES.iter().map(|&(method, result)| (method.to_owned(), result.to_owned())))
            .collect();
        Some(Self { definitions: types["definitions"].take(), results, notifications, validators: Mutex::default() })
    }

    fn check_notification(&self, method: &str, params: &Value) {
        let name =
            self.notifications.get(method).unwrap_or_else(|| panic!("no client knows the notification {method}"));
        self.check_type(name, params, method);
    }

    fn check_result(&self, method: &str, result: &Value) {
        if let Some(name) = self.results.get(method).filter(|name| self.definitions.get(name.as_str()).is_some()) {
            self.check_type(name, result, method);
        }
    }

    fn check_type(&self, name: &str, value: &Value, method: &str) {
        let errors: Vec<String> = self
            .validator(name)
            .iter_errors(value)
            .map(|error| format!("{} at `{}`", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{method} does not fit {name}: {errors:#?}\n{value:#}");
    }

    fn collect_absent(&self, schema: &Value, value: &Value, place: &str, absent: &mut Vec<String>) {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            self.collect_absent(&self.definitions[name], value, place, absent);
        }
        // An optional member is `anyOf` its type and null; other unions name no members of their own.
        for option in schema["anyOf"].as_array().into_iter().flatten().filter(|option| option["type"] != "null") {
            self.collect_absent(option, value, place, absent);
        }
        if let (Some(properties), Some(members)) = (schema["properties"].as_object(), value.as_object()) {
            for (name, property) in properties {
                let place = format!("{place}.{name}");
                match members.get(name) {
                    Some(member) => self.collect_absent(property, member, &place, absent),
                    None => absent.push(place),
                }
            }
        }
        for item in value.as_array().into_iter().flatten() {
            self.collect_absent(&schema["items"], item, place, absent);
        }
    }

    fn validator(&self, name: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let compiled = validators.entry(name.to_owned()).or_insert_with(|| {
            let schema = json!({
                "$schema": "http://json-schema.org/draft-07/schema#",
                "definitions": &self.definitions,
                "$ref": format!("#/definitions/{name}"),
            });
            Arc::new(jsonschema::validator_for(&schema).unwrap_or_else(|e| panic!("{name}: {e}")))
        });
        Arc::clone(compiled)
    }
}

fn read(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(folder().join(name)).ok()?;
    Some(serde_json::from_str(&text).expect("the schema is JSON"))
}

/// Method to type of its params; a method without params is named after itself.
fn types_by_method(union: &Value) -> HashMap<String, String> {
    let variants = union["oneOf"].as_array().expect("a union of messages");
    variants
        .iter()
        .map(|variant| {
            let method = variant["properties"]["method"]["enum"][0].as_str().expect("a method");
            let reference = variant["properties"]["params"]["$ref"].as_str();
            let name = reference.and_then(|path| path.rsplit('/').next()).map_or_else(|| pascal(method), str::to_owned);
            (method.to_owned(), name)
        })
        .collect()
}

fn pascal(method: &str) -> String {
    method
        .split('/')
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        })
        .collect()
}
