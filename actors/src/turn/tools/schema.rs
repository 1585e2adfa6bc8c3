//! The arguments of a tool as a JSON Schema that every server takes.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::Value;
use serde_json::value::RawValue;

/// Makes the schema of a tool's arguments.
pub(super) type Parameters = fn() -> Box<RawValue>;

/// The schema of `A`, whose doc comments tell the model what each argument is.
pub(super) fn parameters<A: JsonSchema>() -> Box<RawValue> {
    let mut schema = SchemaSettings::draft07()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .into_generator()
        .into_root_schema_for::<A>();
    RecursiveTransform(plain).transform(&mut schema);
    for own in ["title", "description"] {
        schema.remove(own);
    }
    // Some servers want it also where there are none.
    schema.ensure_object().entry("properties").or_insert_with(|| Value::Object(Default::default()));
    schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    serde_json::value::to_raw_value(&schema).unwrap_or_default()
}

/// Takes away what some servers refuse or small models stumble over: null beside a type, and formats of numbers.
fn plain(schema: &mut Schema) {
    for member in ["format", "default", "minimum"] {
        schema.remove(member);
    }
    if let Some(Value::Array(types)) = schema.get("type")
        && let [only, null] = &types[..]
        && null == "null"
    {
        let only = only.clone();
        schema.insert("type".to_owned(), only);
    }
    if let Some(Value::Array(variants)) = schema.get_mut("enum") {
        variants.retain(|variant| !variant.is_null());
    }
    // A documented enum with null beside it.
    if let Some(Value::Array(choices)) = schema.get("anyOf")
        && let [Value::Object(only), null] = &choices[..]
        && null["type"] == "null"
    {
        let only = only.clone();
        schema.remove("anyOf");
        for (name, value) in only {
            schema.insert(name, value);
        }
    }
}
