//! The pages in Markdown: their links lead somewhere, on this page and on others.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::tree::{files_with, refuse, root};

/// Folders whose files are named by their paths from the root. Not `config/`, with which methods begin too.
const FOLDERS: [&str; 4] = ["src/", "actors/", "tests/", ".ci/"];

/// What one page says about others and offers to them.
#[derive(Default)]
struct Page {
    /// Targets of links and images.
    links: Vec<String>,
    /// Text in backticks.
    code: Vec<String>,
    /// What a link can name behind `#`.
    anchors: HashSet<String>,
}

#[test]
fn links_lead_somewhere() {
    let pages: HashMap<String, Page> = files_with("md").map(|file| (file.path, read(&file.text))).collect();
    assert!(pages["README.md"].links.iter().any(|link| link == "actors/README.md"), "links are found");
    let mut faults = Vec::new();
    for (path, page) in &pages {
        for link in page.links.iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = resolve(path, file);
            if !root().join(&target).exists() {
                faults.push(format!("{path}: there is no {target}"));
            } else if !anchor.is_empty() && !pages.get(&target).is_some_and(|page| page.anchors.contains(anchor)) {
                faults.push(format!("{path}: {target} has no heading #{anchor}"));
            }
        }
    }
    refuse(&faults, "repair these links");
}

#[test]
fn files_in_backticks_exist() {
    let mut faults = Vec::new();
    for file in files_with("md") {
        for code in read(&file.text).code {
            let named = code.split([' ', '*', '<']).next().unwrap_or_default();
            if FOLDERS.iter().any(|folder| named.starts_with(folder)) && !root().join(named).exists() {
                faults.push(format!("{}: there is no {named}", file.path));
            }
        }
    }
    refuse(&faults, "name files that exist");
}

#[test]
fn anchors_are_those_of_github() {
    let page = read("# Two `words`\n\n## Two words\n\n## Exit codes, signals & probes: what they say\n");
    let expected = ["two-words", "two-words-1", "exit-codes-signals--probes-what-they-say"];
    assert_eq!(page.anchors, expected.map(str::to_owned).into());
}

fn read(markdown: &str) -> Page {
    let mut page = Page::default();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => page.links.push(dest_url.into()),
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                if let Some(text) = heading.take() {
                    page.add_anchor(&text);
                }
            }
            Event::Text(text) => heading.iter_mut().for_each(|heading| heading.push_str(&text)),
            Event::Code(code) => {
                heading.iter_mut().for_each(|heading| heading.push_str(&code));
                page.code.push(code.into());
            }
            _ => {}
        }
    }
    page
}

impl Page {
    fn add_anchor(&mut self, heading: &str) {
        let kept = heading.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
        let anchor = kept.collect::<String>().to_lowercase().replace(' ', "-");
        let numbered = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone()).chain(numbered).find(|it| !self.anchors.contains(it));
        self.anchors.extend(free);
    }
}

/// `link` of the page at `path`, as a path from the root. A link without a file leads to its own page.
fn resolve(path: &str, link: &str) -> String {
    if link.is_empty() {
        return path.to_owned();
    }
    let mut target = PathBuf::new();
    for part in Path::new(path).with_file_name(link).components() {
        match part {
            Component::ParentDir => {
                target.pop();
            }
            part => target.push(part),
        }
    }
    target.to_str().expect("links are text").to_owned()
}
