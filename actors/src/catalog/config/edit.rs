//! Edits the text of `config.toml` and keeps comments, order and spacing.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::key::{EditRefused, KeyPath, refused};
use crate::protocol::config::{ConfigEdit, ConfigEditValue, MergeStrategy};

/// Applies `edits` in order to the text of a configuration, which must be valid TOML.
///
/// # Errors
/// The first edit that is impossible.
pub fn apply(text: &str, edits: &[ConfigEdit]) -> Result<String, EditRefused> {
    let (mark, body) = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(body) => (BYTE_ORDER_MARK, body),
        None => ("", text),
    };
    let edited = apply_to_body(body, edits)?;
    Ok(format!("{mark}{}", with_line_ends_of(body, &edited)))
}

/// What some editors on Windows put in front of a text.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// `edited` with the line ends that its lines have in `original`. The edited text has Unix line ends throughout; lines
/// that came anew get those of the first line.
fn with_line_ends_of(original: &str, edited: &str) -> String {
    if !original.contains("\r\n") {
        return edited.to_owned();
    }
    let old: Vec<&str> = original.split_inclusive('\n').collect();
    let new: Vec<&str> = edited.split_inclusive('\n').collect();
    let same = |(old, new): &(&&str, &&str)| {
        old.ends_with('\n') == new.ends_with('\n') && without_line_end(old) == without_line_end(new)
    };
    let front = old.iter().zip(&new).take_while(same).count();
    let back = old[front..].iter().rev().zip(new[front..].iter().rev()).take_while(same).count();
    let anew = if old.first().is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" };
    let changed = new[front..new.len() - back].iter().map(|line| match line.strip_suffix('\n') {
        Some(line) => format!("{}{anew}", line.trim_end_matches('\r')),
        None => (*line).to_owned(),
    });
    let kept = |line: &&str| (*line).to_owned();
    let (front, back) = (&old[..front], &old[old.len() - back..]);
    front.iter().map(kept).chain(changed).chain(back.iter().map(kept)).collect()
}

fn without_line_end(line: &str) -> &str {
    line.strip_suffix('\n').map_or(line, |line| line.trim_end_matches('\r'))
}

fn apply_to_body(text: &str, edits: &[ConfigEdit]) -> Result<String, EditRefused> {
    let mut document: DocumentMut =
        text.parse().map_err(|e: toml_edit::TomlError| EditRefused::because(e.to_string()))?;
    for edit in edits {
        let KeyPath(path) = KeyPath::parse(&edit.key_path)?;
        if path == ["profile"] {
            return refused(
                "`profile` is a legacy config selector and can no longer be written; use `--profile <name>` with \
                 `<name>.config.toml` instead",
            );
        }
        match &edit.value {
            ConfigEditValue::Remove => remove(document.as_table_mut(), &path),
            ConfigEditValue::Set(value) => set(document.as_table_mut(), &path, value, edit.merge_strategy)?,
            ConfigEditValue::Inexpressible(why) => return refused(format!("invalid value: {why}")),
        }
    }
    Ok(document.to_string())
}

fn set(
    table: &mut dyn TableLike,
    path: &[String],
    value: &toml::Value,
    strategy: MergeStrategy,
) -> Result<(), EditRefused> {
    let Some((name, rest)) = path.split_first() else { return Ok(()) };
    if rest.is_empty() {
        set_member(table, name, value, strategy);
        return Ok(());
    }
    if !table.contains_key(name) {
        table.insert(name, Item::Table(invisible()));
    }
    let changed = table.get_mut(name).and_then(|item| change_members(item, |below| set(below, rest, value, strategy)));
    changed.unwrap_or_else(|| refused("cannot set value on non-table parent"))
}

/// Changes a table in any of its notations; `None` if it is not a table.
fn change_members<T>(item: &mut Item, change: impl FnOnce(&mut dyn TableLike) -> T) -> Option<T> {
    let before = item.as_table_like()?.len();
    let result = change(item.as_table_like_mut()?);
    if let Some(inline) = item.as_inline_table_mut().filter(|inline| inline.len() > before) {
        // The former last member keeps the space before the brace.
        inline.fmt();
    }
    Some(result)
}

/// A table that exists only as part of dotted keys.
fn invisible() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}

fn set_member(table: &mut dyn TableLike, name: &str, value: &toml::Value, strategy: MergeStrategy) {
    match (table.get_mut(name), value) {
        (Some(existing), toml::Value::Table(members)) if existing.is_table_like() => {
            change_members(existing, |existing| set_members(existing, members, strategy));
        }
        (Some(Item::Value(existing)), value) if !value.is_table() => {
            let mut value = to_value(value);
            // The spaces around it and the comment behind it.
            *value.decor_mut() = existing.decor().clone();
            *existing = value;
        }
        _ => {
            table.remove(name);
            table.insert(name, to_item(value));
        }
    }
}

fn set_members(table: &mut dyn TableLike, members: &toml::Table, strategy: MergeStrategy) {
    if strategy == MergeStrategy::Replace {
        let old: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
        old.iter().filter(|name| !members.contains_key(*name)).for_each(|name| remove_member(table, name));
    }
    members.iter().for_each(|(name, member)| set_member(table, name, member, strategy));
}

fn remove(table: &mut dyn TableLike, path: &[String]) {
    let Some((name, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        remove_member(table, name);
    } else if let Some(below) = table.get_mut(name).and_then(Item::as_table_like_mut) {
        remove(below, rest);
    }
}

/// Comments above a removed setting are kept above the next one in its table.
fn remove_member(table: &mut dyn TableLike, name: &str) {
    let comments = table.key(name).and_then(|key| key.leaf_decor().prefix()?.as_str().map(str::to_owned));
    let following = table.iter().map(|(name, _)| name.to_owned()).skip_while(|other| other != name).nth(1);
    table.remove(name);
    let Some(comments) = comments.filter(|text| text.contains('#')) else { return };
    let Some((mut key, item)) = following.as_deref().and_then(|name| table.get_key_value_mut(name)) else { return };
    let decor = match item {
        Item::Table(table) => table.decor_mut(),
        _ => key.leaf_decor_mut(),
    };
    let own = decor.prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
    decor.set_prefix(format!("{comments}{own}"));
}

fn to_item(value: &toml::Value) -> Item {
    match value {
        toml::Value::Table(members) => {
            let mut table = Table::new();
            members.iter().for_each(|(name, member)| {
                table.insert(name, to_item(member));
            });
            Item::Table(table)
        }
        value => Item::Value(to_value(value)),
    }
}

fn to_value(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(yes) => (*yes).into(),
        toml::Value::Datetime(date) => (*date).into(),
        toml::Value::Array(items) => Value::Array(items.iter().map(to_value).collect::<Array>()),
        toml::Value::Table(members) => {
            let members = members.iter().map(|(name, member)| (name, to_value(member)));
            Value::InlineTable(members.collect::<InlineTable>())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "# head\nmodel = \"a\" # the model\neffort = \"low\"\n\n# features\n[features]\nweb = true # yes\n\n\
        [mcp.foo]\ncommand = \"x\"\n# for it\nargs = [\"a\"]\n\n[mcp.\"a.b\"]\ncommand = \"y\"\n\n[tui]\ninline = { a = 1, b = 2 }\n";

    fn edited(key: &str, value: serde_json::Value, strategy: &str) -> Result<String, String> {
        let edit = json!({"keyPath": key, "value": value, "mergeStrategy": strategy});
        apply(TEXT, &[serde_json::from_value(edit).unwrap()]).map_err(|e| e.to_string())
    }

    /// The removed and added lines; all others are unchanged.
    fn changed(key: &str, value: serde_json::Value, strategy: &str) -> (Vec<String>, Vec<String>) {
        let new = edited(key, value, strategy).unwrap();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (old, new) = (lines(TEXT), lines(&new));
        let without = |a: &[String], b: &[String]| a.iter().filter(|line| !b.contains(line)).cloned().collect();
        (without(&old, &new), without(&new, &old))
    }

    fn lines(old: &[&str], new: &[&str]) -> (Vec<String>, Vec<String>) {
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        (owned(old), owned(new))
    }

    #[test]
    fn a_byte_order_mark_and_line_ends_stay() {
        let windows = format!("\u{feff}{}", TEXT.replace('\n', "\r\n"));
        let edit = |key: &str, value| {
            let edit = json!({"keyPath": key, "value": value, "mergeStrategy": "replace"});
            apply(&windows, &[serde_json::from_value(edit).unwrap()]).unwrap()
        };
        assert_eq!(edit("model", json!("b")), windows.replace("model = \"a\"", "model = \"b\""));
        assert_eq!(edit("tui.x", json!(1)), format!("{windows}x = 1\r\n"));
        let mixed = with_line_ends_of("a\r\nb\nc", "a\nb\nc\nd\n");
        assert_eq!(mixed, "a\r\nb\nc\r\nd\r\n");
    }

    #[test]
    fn only_what_is_meant_changes() {
        for (key, value, strategy, old, new) in [
            ("model", json!("b"), "replace", &["model = \"a\" # the model"][..], &["model = \"b\" # the model"][..]),
            ("features.web", json!(false), "upsert", &["web = true # yes"], &["web = false # yes"]),
            ("features.other", json!(1.5), "replace", &[], &["other = 1.5"]),
            ("new.x.y", json!(3), "replace", &[], &["[new.x]", "y = 3"]),
            (
                "mcp.foo",
                json!({"command": "z"}),
                "replace",
                &["command = \"x\"", "# for it", "args = [\"a\"]"],
                &["command = \"z\""],
            ),
            ("mcp.foo", json!({"args": ["q"]}), "upsert", &["args = [\"a\"]"], &["args = [\"q\"]"]),
            ("mcp.\"a.b\".command", json!("z"), "replace", &["command = \"y\""], &["command = \"z\""]),
            (
                "mcp.new",
                json!({"env": {"A": "b"}, "c": "z"}),
                "upsert",
                &[],
                &["[mcp.new]", "c = \"z\"", "[mcp.new.env]", "A = \"b\""],
            ),
            ("tui.inline.a", json!(5), "replace", &["inline = { a = 1, b = 2 }"], &["inline = { a = 5, b = 2 }"]),
            (
                "tui.inline.c.d",
                json!(5),
                "replace",
                &["inline = { a = 1, b = 2 }"],
                &["inline = { a = 1, b = 2, c = { d = 5 } }"],
            ),
            ("tui.list", json!([{"a": 1}, "b"]), "replace", &[], &["list = [{ a = 1 }, \"b\"]"]),
            ("tui.text", json!("a\nb"), "replace", &[], &["text = \"\"\"", "a", "b\"\"\""]),
            ("effort", json!(null), "replace", &["effort = \"low\""], &[]),
            ("mcp.foo", json!(null), "replace", &["[mcp.foo]", "command = \"x\"", "# for it", "args = [\"a\"]"], &[]),
            ("no.such", json!(null), "upsert", &[], &[]),
            ("model.no", json!(null), "upsert", &[], &[]),
        ] {
            assert_eq!(changed(key, value, strategy), lines(old, new), "{key}");
        }
    }

    #[test]
    fn comments_above_a_removed_setting_stay() {
        assert!(edited("model", json!(null), "replace").unwrap().starts_with("# head\neffort"));
    }

    #[test]
    fn what_cannot_be_set_is_refused_in_the_reference_programs_words() {
        for (key, value, reason) in [
            ("", json!(1), "keyPath must not be empty"),
            (".", json!(1), "keyPath segments must not be empty"),
            ("a..b", json!(1), "keyPath segments must not be empty"),
            ("a.", json!(1), "keyPath segments must not be empty"),
            ("a\"b", json!(1), "invalid quoted keyPath segment"),
            ("\"a\"b", json!(1), "invalid quoted keyPath segment"),
            ("\"a", json!(1), "unterminated quoted keyPath segment"),
            ("model.sub", json!(1), "cannot set value on non-table parent"),
            ("tui", json!({"a": null}), "invalid value: invalid type: null, expected any valid TOML value"),
            ("tui", json!(u64::MAX), "invalid value: u64 value was too large"),
        ] {
            assert_eq!(edited(key, value, "replace").unwrap_err(), reason, "{key}");
        }
        assert!(edited("profile", json!("x"), "replace").unwrap_err().starts_with("`profile` is a legacy"));
        assert!(edited(&"a.".repeat(1_000_000), json!(1), "replace").unwrap_err().contains("more than 32"));
    }

    #[test]
    fn quoted_parts_hold_dots_and_quotes() {
        assert_eq!(KeyPath::parse(r#"a."b.c"."d\"e\\f"."#.trim_end_matches('.')).unwrap().0, ["a", "b.c", "d\"e\\f"]);
        assert_eq!(KeyPath::parse(" a ").unwrap().0, [" a "]);
    }
}
