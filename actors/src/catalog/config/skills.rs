//! Turns skills on and off in the text of `config.toml`: `[[skills.config]]`.

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::key::{EditRefused, refused};

/// Which skills a choice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The one with this `SKILL.md`.
    Path(String),
    /// All of this name.
    Name(String),
}

impl Selector {
    fn member(&self) -> (&'static str, &str) {
        match self {
            Self::Path(path) => ("path", path),
            Self::Name(name) => ("name", name),
        }
    }

    fn is_of(&self, choice: &dyn TableLike) -> bool {
        let (member, wanted) = self.member();
        choice.get(member).and_then(Item::as_str) == Some(wanted)
    }
}

/// The text after the choice. A skill is on unless the text says otherwise, so to turn one on removes what was said of it.
/// Everything else keeps its place and its comments.
///
/// # Errors
/// The text is not TOML, or `skills.config` is not a list of tables.
pub fn turn_skill(text: &str, selector: &Selector, enabled: bool) -> Result<String, EditRefused> {
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| EditRefused::because(error.to_string()))?;
    let skills = document.entry("skills").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let Some(skills) = skills.as_table_like_mut() else { return refused("`skills` is not a table") };
    let left = match skills.entry("config").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new())) {
        Item::ArrayOfTables(choices) => {
            choices.retain(|choice| !selector.is_of(choice));
            if !enabled {
                choices.push(off(selector));
            }
            choices.len()
        }
        Item::Value(Value::Array(choices)) => {
            choices.retain(|choice| !choice.as_inline_table().is_some_and(|choice| selector.is_of(choice)));
            if !enabled {
                choices.push(InlineTable::from_iter(
                    off(selector).into_iter().filter_map(|(name, item)| Some((name, item.into_value().ok()?))),
                ));
            }
            choices.len()
        }
        _ => return refused("`skills.config` is not a list of tables"),
    };
    if left == 0 {
        skills.remove("config");
    }
    if skills.is_empty() {
        document.remove("skills");
    }
    Ok(document.to_string())
}

fn off(selector: &Selector) -> Table {
    let (member, wanted) = selector.member();
    let mut table = Table::new();
    table.insert(member, value(wanted));
    table.insert("enabled", value(false));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_comes_and_goes_and_leaves_the_rest_alone() {
        let before = "# mine\nmodel = \"m\" # yes\n\n[tui]\nx = 1\n";
        let (alpha, beta) = (Selector::Path("/s/alpha/SKILL.md".to_owned()), Selector::Name("beta".to_owned()));
        let one = turn_skill(before, &alpha, false).unwrap();
        assert_eq!(one, format!("{before}\n[[skills.config]]\npath = \"/s/alpha/SKILL.md\"\nenabled = false\n"));
        let two = turn_skill(&turn_skill(&one, &beta, false).unwrap(), &beta, false).unwrap();
        assert_eq!(two, format!("{one}\n[[skills.config]]\nname = \"beta\"\nenabled = false\n"));
        assert_eq!(turn_skill(&two, &beta, true).unwrap(), one);
        assert_eq!(turn_skill(&one, &alpha, true).unwrap(), before);
        assert_eq!(turn_skill(before, &alpha, true).unwrap(), before);
    }

    #[test]
    fn a_list_in_one_line_stays_one() {
        let before = "skills.config = [{ name = \"a\", enabled = false }]\n";
        let b = Selector::Name("b".to_owned());
        let both = turn_skill(before, &b, false).unwrap();
        assert!(both.contains("{ name = \"b\", enabled = false }") && both.contains("name = \"a\""), "{both}");
        assert_eq!(
            turn_skill("skills.config = 3", &b, false).unwrap_err().to_string(),
            "`skills.config` is not a list of tables"
        );
    }
}
