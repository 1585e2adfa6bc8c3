//! Sets of JSON schemas: the reference program's, where a checkout has it beside the package, and our own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use app_server_actors::protocol::schema::{Protocol, Row};
use jsonschema::Validator;
use serde_json::{Value, json};

/// Results of the reference whose type is not named after the method's params.
const RESULT_TYPES: &[(&str, &str)] = &[
    ("account/rateLimits/read", "GetAccountRateLimitsResponse"),
    ("account/usage/read", "GetAccountTokenUsageResponse"),
    ("config/batchWrite", "ConfigWriteResponse"),
    ("config/value/write", "ConfigWriteResponse"),
];

static REFERENCE: LazyLock<Option<Schemas>> = LazyLock::new(Schemas::read_reference);
static OWN: LazyLock<Schemas> = LazyLock::new(Schemas::describe_own);

/// Types by name, and which of them belong to which method.
pub struct Schemas {
    /// By name of the type.
    pub definitions: Value,
    /// Method to type of its params.
    pub params: HashMap<String, String>,
    /// Method to type of its result.
    pub results: HashMap<String, String>,
    /// Method to type of its params.
    pub notifications: HashMap<String, String>,
    /// Method of a server request to type of its params.
    pub server_requests: HashMap<String, String>,
    /// Compiled at the first use; keyed by the name of the type.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// Where the reference's schema stands when a checkout has it.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference")
}

impl Schemas {
    /// The reference program's, experimental members included.
    pub fn reference() -> Option<&'static Self> {
        REFERENCE.as_ref()
    }

    /// Those that we publish, experimental members included.
    pub fn own() -> &'static Self {
        &OWN
    }

    fn read_reference() -> Option<Self> {
        let mut types = read("codex_app_server_protocol.v2.schemas.json")?;
        let notifications = types_by_method(&read("ServerNotification.json")?);
        let mut requests = read("ServerRequest.json")?;
        let server_requests = types_by_method(&requests);
        // Their types are not in the bundle.
        if let (Value::Object(types), Value::Object(more)) = (&mut types["definitions"], requests["definitions"].take())
        {
            types.extend(more.into_iter().filter(|(name, _)| !name.ends_with("Notification")));
        }
        let params = types_by_method(&read("ClientRequest.json")?);
        let results = params
            .iter()
            .map(|(method, params)| (method.clone(), format!("{}Response", params.trim_end_matches("Params"))))
            .chain(RESULT_TYPES.iter().map(|&(method, result)| (method.to_owned(), result.to_owned())))
            .collect();
        Some(Self {
            definitions: types["definitions"].take(),
            params,
            results,
            notifications,
            server_requests,
            validators: Mutex::default(),
        })
    }

    fn describe_own() -> Self {
        let protocol = Protocol::describe(true);
        let by_method = |rows: &[Row], of: fn(&Row) -> Option<&String>| {
            rows.iter().filter_map(|row| Some((row.method.clone(), of(row)?.clone()))).collect()
        };
        Self {
            params: by_method(&protocol.client_requests, |row| row.params.as_ref()),
            results: by_method(&protocol.client_requests, |row| row.result.as_ref()),
            notifications: by_method(&protocol.server_notifications, |row| row.params.as_ref()),
            server_requests: by_method(&protocol.server_requests, |row| row.params.as_ref()),
            definitions: Value::Object(protocol.definitions),
            validators: Mutex::default(),
        }
    }

    /// Panics unless `value` is a `name`.
    pub fn check(&self, name: &str, value: &Value, method: &str) {
        let errors: Vec<String> = self
            .validator(name)
            .iter_errors(value)
            .map(|error| format!("{} at `{}`", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{method} does not fit {name}: {errors:#?}\n{value:#}");
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
