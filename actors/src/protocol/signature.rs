//! The types of a method, declared once: params are decoded by them, and the published schema is generated from them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::{ClientRequest, RpcError};

/// The types of a method, as a trait object for the rows of the table.
pub(super) trait Signature: fmt::Debug + Sync {
    /// Decodes the `params` member of a request, or returns -32602.
    fn parse(&self, params: Option<&RawValue>) -> Result<ClientRequest, RpcError>;

    /// The schema of the params.
    fn params(&self, generator: &mut SchemaGenerator) -> Schema;

    /// The schema of the result.
    fn result(&self, generator: &mut SchemaGenerator) -> Schema;
}

/// The first half of a signature: params `P` become a request.
pub(super) struct Takes<P, Q> {
    request: fn(P) -> Q,
    read: fn(Option<&RawValue>) -> Result<P, RpcError>,
    schema: fn(&mut SchemaGenerator) -> Schema,
}

/// A method with the params of `request`. If all members are optional, the params are optional, too.
pub(super) const fn takes<P: DeserializeOwned + JsonSchema, Q>(request: fn(P) -> Q) -> Takes<P, Q> {
    Takes { request, read, schema: SchemaGenerator::subschema_for::<P> }
}

/// A method whose params are required although all members are optional, as in the reference program.
pub(super) const fn takes_present<P: DeserializeOwned + JsonSchema, Q>(request: fn(P) -> Q) -> Takes<P, Q> {
    Takes { request, read: read_present, schema: SchemaGenerator::subschema_for::<P> }
}

/// A method that takes no params, null or an empty object, and refuses everything else.
pub(super) const fn takes_nothing<Q>(request: fn(()) -> Q) -> Takes<(), Q> {
    Takes { request, read: read_nothing, schema: schema_of_nothing }
}

impl<P, Q> Takes<P, Q> {
    /// Adds the result type `R`.
    pub(super) const fn gives<R>(self) -> TakesAndGives<P, Q, R> {
        TakesAndGives { takes: self, result: PhantomData }
    }
}

/// A complete signature.
pub(super) struct TakesAndGives<P, Q, R> {
    takes: Takes<P, Q>,
    result: PhantomData<fn() -> R>,
}

impl<P, Q, R> Signature for TakesAndGives<P, Q, R>
where
    Q: Into<ClientRequest>,
    R: JsonSchema,
{
    fn parse(&self, params: Option<&RawValue>) -> Result<ClientRequest, RpcError> {
        (self.takes.read)(params).map(self.takes.request).map(Into::into)
    }

    fn params(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.takes.schema)(generator)
    }

    fn result(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<R>()
    }
}

impl<P, Q, R> fmt::Debug for TakesAndGives<P, Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", std::any::type_name::<P>(), std::any::type_name::<R>())
    }
}

/// Decodes the params as `P`. Missing or null params are read as `{}`, so that a method with only optional members
/// accepts them. If a member is required, the text says that the params are missing, as in the reference program.
fn read<P: DeserializeOwned>(params: Option<&RawValue>) -> Result<P, RpcError> {
    let Some(raw) = params.filter(|raw| raw.get() != "null") else {
        return serde_json::from_str("{}").map_err(|_| RpcError::invalid_params("missing field `params`"));
    };
    read_object(raw)
}

fn read_present<P: DeserializeOwned>(params: Option<&RawValue>) -> Result<P, RpcError> {
    read_object(params.ok_or_else(|| RpcError::invalid_params("missing field `params`"))?)
}

fn read_nothing(params: Option<&RawValue>) -> Result<(), RpcError> {
    let Some(raw) = params else { return Ok(()) };
    match serde_json::from_str::<HashMap<Cow<'_, str>, IgnoredAny>>(raw.get()) {
        Ok(members) if members.is_empty() => Ok(()),
        _ => serde_json::from_str(raw.get()).map_err(|e| RpcError::invalid_params(reason(&e))),
    }
}

fn schema_of_nothing(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["object", "null"], "additionalProperties": false})
}

fn read_object<P: DeserializeOwned>(raw: &RawValue) -> Result<P, RpcError> {
    // serde would read an array as a struct by position; a client that sends one has made a mistake.
    if raw.get().starts_with('[') {
        return Err(RpcError::invalid_params("params must be an object, not an array"));
    }
    serde_json::from_str(raw.get()).map_err(|e| RpcError::invalid_params(reason(&e)))
}

/// The reason without the position, which is meaningless within one line of JSON.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_params_may_be_written_in_three_ways_and_no_other() {
        let read = |text: &str| read_nothing(Some(&RawValue::from_string(text.to_owned()).unwrap()));
        assert!(read_nothing(None).is_ok());
        for nothing in ["null", "{}", "{ \n }"] {
            assert!(read(nothing).is_ok(), "{nothing}");
        }
        for (something, said) in [
            (r#"{"a":1}"#, "invalid type: map, expected unit"),
            (r#"{"\u0061":null}"#, "invalid type: map, expected unit"),
            ("[]", "invalid type: sequence, expected unit"),
            ("0", "invalid type: integer `0`, expected unit"),
        ] {
            assert_eq!(read(something).unwrap_err(), RpcError::invalid_params(said), "{something}");
        }
    }
}
