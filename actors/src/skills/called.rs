//! The skills that a user's message names.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use plain_file::Links;

use super::skill::{Skill, Skills};
use crate::protocol::item::UserInput;

/// What a message puts into the turn.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Called {
    /// The texts, one for each skill.
    pub texts: Vec<String>,
    /// Why others are missing, in words for the user.
    pub missing: Vec<String>,
}

/// How each text begins.
const OPENING: &str = "<skill>";

impl Skills {
    /// Whether `text` is one of those that [`Self::called`] gives.
    pub fn is_called(text: &str) -> bool {
        text.starts_with(OPENING)
    }

    /// The texts of the skills that `content` names: as a part of its own, as `$name` where one skill alone has that name, or
    /// as `[$name](PATH)`. At most `most` bytes together, and `file_bytes` each. Blocks.
    pub fn called(&self, content: &[UserInput], most: usize, file_bytes: usize) -> Called {
        let wanted = Wanted::of(content);
        let mut named: HashMap<&str, usize> = HashMap::new();
        for skill in self.on() {
            *named.entry(&skill.shown.name).or_default() += 1;
        }
        let mut called = Called::default();
        let mut left = most;
        for skill in self.on().filter(|skill| wanted.holds(skill, named[skill.shown.name.as_str()] == 1)) {
            let (name, path) = (&skill.shown.name, &skill.shown.path);
            match skill.text(file_bytes) {
                Ok(text) if text.len() <= left => {
                    left -= text.len();
                    let text = text.trim_end();
                    called.texts.push(format!("{OPENING}\n<name>{name}</name>\n<path>{path}</path>\n{text}\n</skill>"));
                }
                Ok(_) => called.missing.push(format!(
                    "The skill {name} ({path}) did not fit into the message: skills may have {most} bytes together \
                     (limits.skill_message_bytes). The agent can still read it."
                )),
                Err(reason) => called.missing.push(format!("The skill {name} ({path}) cannot be read: {reason}")),
            }
        }
        called
    }
}

/// What a message names.
#[derive(Default)]
struct Wanted<'a> {
    names: HashSet<&'a str>,
    paths: HashSet<&'a str>,
}

impl<'a> Wanted<'a> {
    fn of(content: &'a [UserInput]) -> Self {
        let mut wanted = Self::default();
        for part in content {
            match part {
                UserInput::Skill { path, .. } => {
                    wanted.paths.insert(path);
                }
                UserInput::Text { text, .. } => mentions(text).for_each(|(name, path)| match path {
                    Some(path) => drop(wanted.paths.insert(path.trim_start_matches("skill://"))),
                    None => drop(wanted.names.insert(name)),
                }),
                _ => {}
            }
        }
        wanted
    }

    fn holds(&self, skill: &Skill, is_alone: bool) -> bool {
        let Skill { shown, .. } = skill;
        self.paths.contains(shown.path.as_str()) || (is_alone && self.names.contains(shown.name.as_str()))
    }
}

impl Skill {
    fn text(&self, most: usize) -> Result<String, String> {
        let path = Path::new(&self.shown.path);
        let file = plain_file::open(path, Links::Refuse).map_err(|error| error.to_string())?;
        if !self.root.allows(&file, path) {
            return Err("it lies outside of the project".to_owned());
        }
        let bytes = plain_file::read_open(&file, most).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
    }
}

/// The names behind a `$` in a text, each with the path that follows in `[$name](PATH)`.
fn mentions(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.match_indices('$').filter_map(|(at, _)| {
        let before = text[..at].chars().next_back();
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !is_of_name(c)).unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches(':');
        let path = (before == Some('[')).then(|| rest[end..].strip_prefix("](")?.split_once(')')).flatten();
        let stands_alone = before.is_none_or(|c| !is_of_name(c) && c != '$');
        (!name.is_empty() && stands_alone).then_some((name, path.map(|(path, _)| path)))
    })
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_behind_a_dollar() {
        let found = |text| mentions(text).collect::<Vec<_>>();
        assert_eq!(found("use $a-b, then ($c_1): x$no $$no $ $5"), [("a-b", None), ("c_1", None), ("5", None)]);
        assert_eq!(found("[$d](/s/d/SKILL.md) and [$e] (f)"), [("d", Some("/s/d/SKILL.md")), ("e", None)]);
        assert_eq!(found("$ä $plugin:x:"), [("plugin:x", None)]);
    }
}
