//! Doc comments as readers of a schema want them.

use serde_json::Value;

use super::EXPERIMENTAL;

/// Rust's links, its word for nothing, and marks that only this program reads are of no use in other languages.
pub(super) fn for_readers(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get_mut("description") {
                let plain = text.replace("[`", "`").replace("`]", "`").replace("`None`", "null").replace("Self::", "");
                // Lines end where the source is narrow; paragraphs end where the author wanted it.
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
