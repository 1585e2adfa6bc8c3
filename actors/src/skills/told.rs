//! What the model is told of the skills.

use super::skill::{Skill, Skills};

/// How the text begins.
const OPENING: &str = "<skills>";

/// What the model makes of them.
const RULES: &str = "A skill is a folder whose SKILL.md tells how one kind of task is done. When the user names one ($name), \
    or a task fits its description, read its SKILL.md before you begin, and of its other files only those that you need. \
    Paths in it start from its folder.";

impl Skills {
    /// Names, descriptions and places of the skills that the model may use by itself, in at most `most` bytes: descriptions
    /// are shortened, and if that does not help the last skills are left out. `None` without any, unless the model
    /// `knows_of_some`.
    pub fn told(&self, most: usize, knows_of_some: bool) -> Option<String> {
        let usable: Vec<&Skill> = self.on().filter(|skill| skill.implicit).collect();
        if usable.is_empty() {
            return knows_of_some.then(|| format!("{OPENING}\nThere are none any more.\n</skills>"));
        }
        let fits = |length: usize, skills: usize| {
            let lines = usable.iter().take(skills).map(|skill| line(skill, length).len() + 1);
            lines.sum::<usize>() <= most
        };
        let longest = usable.iter().map(|skill| skill.shown.description.len()).max().unwrap_or(0);
        let length = last_that(longest, |length| fits(length, usable.len()));
        let count = last_that(usable.len(), |count| fits(length, count));
        let left_out = usable.len() - count;
        let mut text = format!("{OPENING}\n{RULES}\n");
        for skill in usable.iter().take(count) {
            text.push_str(&line(skill, length));
            text.push('\n');
        }
        if left_out > 0 {
            text.push_str(&format!("{left_out} more are not listed.\n"));
        }
        text.push_str("</skills>");
        Some(text)
    }

    /// Whether `text` is one of these.
    pub fn is_told(text: &str) -> bool {
        text.starts_with(OPENING)
    }
}

fn line(skill: &Skill, length: usize) -> String {
    let description = &skill.shown.description;
    let end = description.floor_char_boundary(length);
    let mark = if end < description.len() { "…" } else { "" };
    format!("- {}: {}{mark} ({})", skill.shown.name, &description[..end], skill.shown.path)
}

/// The largest number up to `most` for which `holds` is true; what holds for a number holds for each smaller one. 0 if none.
fn last_that(most: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if holds(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}
