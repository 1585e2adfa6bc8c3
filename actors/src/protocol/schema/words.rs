//! Adapts doc comments for readers of a schema.

use serde_json::Value;

use super::EXPERIMENTAL;

/// Removes Rust's link syntax, `None`, and internal marks, which have no meaning in other languages.
pub(super) fn for_readers(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get_mut("description") {
                let plain = text.replace("[`", "`").replace("`]", "`").replace("`None`", "null").replace("Self::", "");
                // Line breaks come from the width of the source; only paragraph breaks are kept.
                *text =
                    plain.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
            }
            members.remove(EXPERIMENTAL);
            members.values_mut().for_each(for_readers);
        }
        Value::Array(items) => items.iter_mut().for_each(for_readers),
        _ => {}
    }
}
