//! The layers of the configuration, and their combination.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Fault, KeyPath};
use crate::protocol::config::{ConfigLayer, ConfigLayerMetadata, ConfigLayerSource};

/// Maximum number of parts of a dotted key.
pub(super) const DEEPEST_KEY: usize = 32;

/// One source of settings.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The source of the settings.
    pub source: ConfigLayerSource,
    /// The settings.
    pub table: Table,
    /// Why the layer is ignored, if it is.
    pub disabled_reason: Option<String>,
    /// What it set besides [`Self::table`], and may not set.
    pub ignored: Vec<String>,
}

impl Layer {
    /// Creates an active layer.
    pub fn new(source: ConfigLayerSource, table: Table) -> Self {
        Self { source, table, disabled_reason: None, ignored: Vec::new() }
    }

    /// The layer as shown to clients.
    pub fn metadata(&self) -> ConfigLayerMetadata {
        ConfigLayerMetadata::new(self.source.clone(), &self.table)
    }
}

/// All layers by ascending precedence.
#[derive(Clone, Debug, Default)]
pub struct Layers(pub Vec<Layer>);

impl Layers {
    /// The effective configuration: tables are merged, for other values the layer with the highest precedence wins.
    pub fn effective(&self) -> Table {
        let mut table = Table::new();
        for layer in self.counting() {
            merge(&mut table, &layer.table);
        }
        table
    }

    /// The layer of each value of `effective`, by dotted key.
    pub fn origins(&self, effective: &Table) -> BTreeMap<String, ConfigLayerMetadata> {
        let mut origins = BTreeMap::new();
        for layer in self.counting() {
            let metadata = layer.metadata();
            origins.extend(leaves(&layer.table).into_iter().map(|key| (key, metadata.clone())));
        }
        // A layer with lower precedence may have a table where the other has a plain value.
        let present = leaves(effective);
        origins.retain(|key, _| present.binary_search(key).is_ok());
        origins
    }

    /// All layers as shown to clients, including inactive ones, by descending precedence.
    pub fn listing(&self) -> Vec<ConfigLayer> {
        let entry = |layer: &Layer| ConfigLayer {
            metadata: layer.metadata(),
            config: layer.table.clone(),
            disabled_reason: layer.disabled_reason.clone(),
        };
        self.0.iter().rev().map(entry).collect()
    }

    fn counting(&self) -> impl Iterator<Item = &Layer> {
        self.0.iter().filter(|layer| layer.disabled_reason.is_none())
    }
}

/// Merges `stronger` into `table`.
pub fn merge(table: &mut Table, stronger: &Table) {
    for (name, value) in stronger {
        match (table.get_mut(name), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            _ => {
                table.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Sets the value at a dotted key; a plain value on the path becomes a table.
///
/// # Errors
/// The key is not a [`KeyPath`]. Keys from clients have any length, and tables are walked recursively.
pub fn put(table: &mut Table, key: &str, value: Value) -> Result<(), Fault> {
    let KeyPath(mut parts) = KeyPath::parse(key).map_err(|reason| Fault::new(reason.to_string()))?;
    let last = parts.pop().unwrap_or_default();
    let mut below = table;
    for part in parts {
        let entry = below.entry(part).or_insert_with(|| Value::Table(Table::new()));
        if !entry.is_table() {
            *entry = Value::Table(Table::new());
        }
        let Value::Table(inner) = entry else { return Ok(()) };
        below = inner;
    }
    below.insert(last, value);
    Ok(())
}

/// The value at a path of names.
pub fn look_up<'a>(table: &'a Table, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(first)?, |value, name| value.as_table()?.get(name))
}

/// The dotted keys of all plain values, sorted. Array elements are keyed by index.
fn leaves(table: &Table) -> Vec<String> {
    fn walk(key: String, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Table(table) => table.iter().for_each(|(name, value)| walk(format!("{key}.{name}"), value, found)),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, value)| walk(format!("{key}.{i}"), value, found))
            }
            _ => found.push(key),
        }
    }
    let mut found = Vec::new();
    table.iter().for_each(|(name, value)| walk(name.clone(), value, &mut found));
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    fn layers(texts: &[&str]) -> Layers {
        let source = |i: usize| ConfigLayerSource::System { file: format!("/{i}") };
        Layers(texts.iter().enumerate().map(|(i, text)| Layer::new(source(i), table(text))).collect())
    }

    #[test]
    fn the_stronger_value_counts_and_tables_are_joined() {
        let layers = layers(&["a = 1\nt = { x = 1, y = 1 }\nl = [1, 2]", "a = 2\nt = { y = 2 }\nl = [3]"]);
        let effective = layers.effective();
        assert_eq!(effective, table("a = 2\nt = { x = 1, y = 2 }\nl = [3]"));
        let origins = layers.origins(&effective);
        let from = |key: &str| match &origins[key].name {
            ConfigLayerSource::System { file } => file.as_str(),
            other => panic!("{other:?}"),
        };
        assert_eq!(origins.keys().collect::<Vec<_>>(), ["a", "l.0", "t.x", "t.y"]);
        assert_eq!((from("a"), from("l.0"), from("t.x"), from("t.y")), ("/1", "/1", "/0", "/1"));
    }

    #[test]
    fn a_layer_that_does_not_count_is_only_listed() {
        let mut layers = layers(&["a = 1", "a = 2"]);
        layers.0[1].disabled_reason = Some("because".to_owned());
        assert_eq!(layers.effective(), table("a = 1"));
        let listing = layers.listing();
        assert_eq!(listing[0].disabled_reason.as_deref(), Some("because"));
        assert_eq!(listing[0].config, table("a = 2"));
        assert_eq!(listing[1].config, table("a = 1"));
    }

    #[test]
    fn the_version_is_the_reference_programs() {
        let version = |text: &str| layers(&[text]).listing()[0].metadata.version.clone();
        assert_eq!(version(""), "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
        let text = "model = 'gpt-5.2'\napproval_policy = 'never'\nfeatures.web_search_request = true\n\
                    mcp_servers.foo.command = 'true'";
        assert_eq!(version(text), "sha256:384986ce8f9d4aeb2bb250a033a2e5457acd2d175a5deb413eb6c60d215ab804");
    }

    #[test]
    fn a_dotted_key_makes_its_tables() {
        let mut made = table("a = 1\nt.x = 1");
        put(&mut made, "a.b.c", Value::Integer(2)).unwrap();
        put(&mut made, "t.y", Value::Integer(3)).unwrap();
        assert_eq!(made, table("a.b.c = 2\nt = { x = 1, y = 3 }"));
        assert!(put(&mut made, &"a.".repeat(1_000_000), Value::Integer(1)).is_err());
    }
}
