//! Where a table says by which tests something is held, there are such tests.

use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::tree::{files_with, refuse, root};

/// The heading of a column with names of tests.
const COLUMN: &str = "held by";

/// What may begin an omitted module: that of the name before it.
const SAME_MODULE: &str = "…::";

#[test]
fn what_holds_a_law_exists() {
    let (mut names, mut faults) = (0, Vec::new());
    for file in files_with("md") {
        for name in quoted(&file.text) {
            names += 1;
            if !exists(&name) {
                faults.push(format!("{}: {name}", file.path));
            }
        }
    }
    assert!(names > 50, "only {names} names were found");
    refuse(&faults, "there are no such tests");
}

#[test]
fn a_name_that_is_wrong_is_found_out() {
    assert!(exists("promises::persistence"));
    assert!(exists("promises::frames::*"));
    assert!(exists("auth::bearer::tests::*"));
    for wrong in ["promises::no_such", "promises::hosts::no_such", "auth::no_such::*", "auth::bearer::no_such::*"] {
        assert!(!exists(wrong), "{wrong}");
    }
    let page = "| law | held by |\n|---|---|\n| `a::b` | `c::d::e`, `…::f`, by hand |\n";
    assert_eq!(quoted(page), ["c::d::e", "c::d::f"]);
}

/// The names in the last column of each table whose last column is [`COLUMN`].
fn quoted(markdown: &str) -> Vec<String> {
    let (mut names, mut module) = (Vec::new(), String::new());
    let (mut column, mut columns, mut heading) = (0, 0, String::new());
    let mut in_head = false;
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableHead) => (in_head, column, columns, heading) = (true, 0, 0, String::new()),
            Event::End(TagEnd::TableHead) => (in_head, columns) = (false, column),
            Event::Start(Tag::TableRow) => column = 0,
            Event::Start(Tag::TableCell) => {
                column += 1;
                heading = if in_head { String::new() } else { heading };
            }
            Event::End(TagEnd::Table) => heading = String::new(),
            Event::Text(text) if in_head => heading.push_str(&text),
            Event::Code(code) if !in_head && column == columns && heading == COLUMN && code.contains("::") => {
                let name = match code.strip_prefix(SAME_MODULE) {
                    Some(last) => format!("{module}::{last}"),
                    None => code.to_string(),
                };
                module = name.rsplit_once("::").map_or_else(String::new, |(module, _)| module.to_owned());
                names.push(name);
            }
            _ => {}
        }
    }
    names
}

/// Whether `name` is a module or a function of the tree. The black-box suite and its support lie in `tests/`.
fn exists(name: &str) -> bool {
    let parts: Vec<&str> = name.split("::").collect();
    ["src", "actors/src", "actors/launcher/src", "tests"].iter().any(|base| {
        (1..=parts.len()).rev().any(|depth| {
            module(&root().join(base), &parts[..depth]).is_some_and(|file| {
                let text = fs::read_to_string(file).expect("a file of the tree");
                defines(&text, &parts[depth..])
            })
        })
    })
}

/// The file of a module.
fn module(base: &Path, parts: &[&str]) -> Option<PathBuf> {
    let folder = base.join(parts.join("/"));
    [folder.with_extension("rs"), folder.join("mod.rs")].into_iter().find(|file| file.is_file())
}

/// Whether a file defines `rest`: modules inside the file, and then a function, or `*` for tests of any name.
fn defines(text: &str, rest: &[&str]) -> bool {
    match rest {
        [] => true,
        ["*"] => text.contains("test]") || text.contains("mod "),
        [function] if text.contains(&format!("fn {function}(")) => true,
        [module, rest @ ..] => text.contains(&format!("mod {module} {{")) && defines(text, rest),
    }
}
