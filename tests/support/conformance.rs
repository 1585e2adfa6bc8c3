//! Every message that a client of this suite sends or receives is checked against the schema that we publish, and every
//! one that it receives against the reference program's, where a checkout has that.

use serde_json::Value;

use super::schemas::Schemas;

/// A request of ours that waits for its answer.
pub struct Asked {
    /// What was called.
    pub method: String,
    /// With what.
    pub params: Value,
}

/// Checks a message of the server; `asked` is the request which it answers, if it answers one of ours.
pub fn check(message: &Value, asked: Option<&Asked>) {
    let members = message.as_object().unwrap_or_else(|| panic!("not an object: {message}"));
    assert!(!members.contains_key("jsonrpc"), "the server never writes `jsonrpc`: {message}");
    if let Some(name) = message["method"].as_str() {
        match message.get("id") {
            Some(_) => check_request(name, message),
            None => check_notification(name, message),
        }
    } else if let Some(error) = message.get("error") {
        Schemas::own().check("JSONRPCError", message, "an error");
        assert!(members.len() == 2 && error.get("data") != Some(&Value::Null), "an ill-formed error: {message}");
    } else {
        Schemas::own().check("JSONRPCResponse", message, "an answer");
        assert!(members.len() == 2, "an ill-formed answer: {message}");
        if let Some(asked) = asked {
            check_call(asked, &message["result"]);
        }
    }
}

fn check_request(method: &str, message: &Value) {
    Schemas::own().check("ServerRequest", message, method);
    if let Some(reference) = Schemas::reference() {
        let known = reference.server_requests.get(method);
        let name = known.unwrap_or_else(|| panic!("no client knows the request {method}"));
        reference.check(name, &message["params"], method);
    }
}

fn check_notification(method: &str, message: &Value) {
    Schemas::own().check("ServerNotification", message, method);
    if let Some(reference) = Schemas::reference() {
        let known = reference.notifications.get(method);
        let name = known.unwrap_or_else(|| panic!("no client knows the notification {method}"));
        reference.check(name, &message["params"], method);
    }
}

/// A call that succeeded: its params were taken, so they fit our schema, and its result fits both.
fn check_call(Asked { method, params }: &Asked, result: &Value) {
    let own = Schemas::own();
    own.check(&own.results[method], result, method);
    if !params.is_null() {
        own.check(&own.params[method], params, method);
    }
    if let Some(reference) = Schemas::reference() {
        let name = reference.results.get(method).filter(|name| reference.definitions.get(name.as_str()).is_some());
        if let Some(name) = name {
            reference.check(name, result, method);
        }
    }
}

/// Members that the reference names and the result of `method` leaves out, wherever they are; a result of this server
/// writes them all, as null where it has nothing to say.
pub fn absent_members(method: &str, result: &Value) -> Vec<String> {
    let mut absent = Vec::new();
    if let Some((schemas, name)) =
        Schemas::reference().and_then(|schemas| Some((schemas, schemas.results.get(method)?)))
    {
        collect_absent(schemas, &schemas.definitions[name], result, name, &mut absent);
    }
    absent
}

fn collect_absent(schemas: &Schemas, schema: &Value, value: &Value, place: &str, absent: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        collect_absent(schemas, &schemas.definitions[name], value, place, absent);
    }
    // An optional member is `anyOf` its type and null; other unions name no members of their own.
    for option in schema["anyOf"].as_array().into_iter().flatten().filter(|option| option["type"] != "null") {
        collect_absent(schemas, option, value, place, absent);
    }
    if let (Some(properties), Some(members)) = (schema["properties"].as_object(), value.as_object()) {
        for (name, property) in properties {
            let place = format!("{place}.{name}");
            match members.get(name) {
                Some(member) => collect_absent(schemas, property, member, &place, absent),
                None => absent.push(place),
            }
        }
    }
    for item in value.as_array().into_iter().flatten() {
        collect_absent(schemas, &schema["items"], item, place, absent);
    }
}
