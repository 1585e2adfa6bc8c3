//! The operator's manual explains warnings that the program can really log.

use std::fs;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::tree::{files_with, refuse, root};

/// The heading of the column with the texts of warnings. `…` and a lone `N` stand for what differs from case to case.
const COLUMN: &str = "warning";

#[test]
fn explained_warnings_exist() {
    let sources: Vec<String> = files_with("rs").map(|file| file.text).collect();
    let manual = fs::read_to_string(root().join("config/README.md")).expect("the manual");
    let warnings = explained(&manual);
    assert!(warnings.len() > 5, "{warnings:?}");
    let is_logged = |warning: &&String| {
        let parts = warning.replace(" N ", "…").split('…').map(str::to_owned).collect::<Vec<_>>();
        let longest = parts.into_iter().max_by_key(String::len).unwrap_or_default();
        sources.iter().any(|source| source.contains(longest.trim()))
    };
    let missing: Vec<String> = warnings.iter().filter(|warning| !is_logged(warning)).cloned().collect();
    refuse(&missing, "config/README.md explains warnings that nothing logs");
}

/// The texts in the first column of the table of warnings.
fn explained(markdown: &str) -> Vec<String> {
    let (mut texts, mut heading, mut column) = (Vec::new(), String::new(), 0);
    let mut in_head = false;
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableHead) => (in_head, heading, column) = (true, String::new(), 0),
            Event::End(TagEnd::TableHead) => in_head = false,
            Event::Start(Tag::TableRow) => column = 0,
            Event::Start(Tag::TableCell) => column += 1,
            Event::Text(text) if in_head && column == 1 => heading.push_str(&text),
            Event::Code(code) if !in_head && column == 1 && heading == COLUMN => texts.push(code.into()),
            Event::End(TagEnd::Table) => heading.clear(),
            _ => {}
        }
    }
    texts
}
