//! Which file imports which, by the `use` lines of both packages.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::files_with;

/// The packages: the name of the crate, and where its modules are.
const PACKAGES: [(&str, &str); 2] = [("app_server_actors", "actors/src/"), ("codex_app_server", "src/")];

/// Where a module or an item is: the crate, and the names on the way to it.
type Path = Vec<String>;

/// The imports of every file. The roots of crates are none: they only list modules.
pub struct Graph {
    modules: BTreeMap<Path, Module>,
    imports: BTreeMap<String, BTreeSet<String>>,
}

struct Module {
    file: String,
    /// What it imports, by the name under which it does.
    uses: Vec<(String, Path)>,
}

impl Graph {
    /// Reads the tree.
    pub fn read() -> Self {
        let mut modules = BTreeMap::new();
        let mut texts = Vec::new();
        for file in files_with("rs") {
            let Some((path, inside)) = module_path(&file.path) else { continue };
            if !inside.split('/').any(|part| part == "tests") && !matches!(inside, "lib" | "main") {
                modules.insert(path.clone(), Module { file: file.path, uses: Vec::new() });
                texts.push((path, file.text));
            }
        }
        for (path, text) in texts {
            let uses = statements(&text)
                .into_iter()
                .filter_map(|(name, parts)| absolute(&path, &parts, &modules).map(|target| (name, target)));
            let uses = uses.collect();
            if let Some(module) = modules.get_mut(&path) {
                module.uses = uses;
            }
        }
        let mut graph = Self { modules, imports: BTreeMap::new() };
        for module in graph.modules.values() {
            let targets = module.uses.iter().filter_map(|(_, target)| graph.defining_file(target, 0));
            let others = targets.filter(|file| *file != module.file).map(str::to_owned).collect();
            graph.imports.insert(module.file.clone(), others);
        }
        graph
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.imports.keys().map(String::as_str)
    }

    /// The files that `file` imports from.
    pub fn imports(&self, file: &str) -> impl Iterator<Item = &str> {
        self.imports.get(file).into_iter().flatten().map(String::as_str)
    }

    /// The file that an import leads to: where a module only passes a name on, the one that it has it from.
    fn defining_file(&self, target: &[String], passed_on: usize) -> Option<&str> {
        let length = (1..=target.len()).rev().find(|length| self.modules.contains_key(&target[..*length]))?;
        let module = &self.modules[&target[..length]];
        let elsewhere = target.get(length).filter(|_| passed_on < 8).and_then(|name| {
            let (_, from) = module.uses.iter().find(|(known, from)| known == name && *from != target)?;
            self.defining_file(from, passed_on + 1)
        });
        elsewhere.or(Some(&module.file))
    }
}

/// The path of the module in a file of one of the packages, and what is behind the package's folder in the file's path.
fn module_path(file: &str) -> Option<(Path, &str)> {
    let (name, inside) = PACKAGES.iter().find_map(|(name, source)| Some((*name, file.strip_prefix(source)?)))?;
    let inside = inside.strip_suffix(".rs")?;
    let module = inside.strip_suffix("/mod").unwrap_or(inside);
    Some((std::iter::once(name).chain(module.split('/')).map(str::to_owned).collect(), inside))
}

/// The path of an import of `module`; `None` for one of a library.
fn absolute(module: &[String], parts: &[String], modules: &BTreeMap<Path, Module>) -> Option<Path> {
    let supers = parts.iter().take_while(|part| *part == "super").count();
    let child = || [module, &parts[..1]].concat();
    let (base, rest) = match parts.first()?.as_str() {
        "crate" => (&module[..1], &parts[1..]),
        "self" => (module, &parts[1..]),
        "super" => (&module[..module.len() - supers], &parts[supers..]),
        name if PACKAGES.iter().any(|(known, _)| *known == name) => (&module[..0], parts),
        _ if modules.contains_key(&child()) => (module, parts),
        _ => return None,
    };
    Some([base, rest].concat())
}

/// What a text imports: the name and the parts of the path of each item.
fn statements(text: &str) -> Vec<(String, Vec<String>)> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut items = Vec::new();
    let mut open: Option<String> = None;
    for line in code.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let begun = match open.take() {
            Some(begun) => begun + line,
            None => match line.split_once("use ") {
                Some(("" | "pub " | "pub(crate) " | "pub(super) ", rest)) => rest.to_owned(),
                _ => continue,
            },
        };
        match begun.strip_suffix(';') {
            Some(tree) => expand(tree, &[], &mut items),
            None => open = Some(begun),
        }
    }
    items
}

/// Adds every item of a tree such as `a::{b, c::{self, d as e}}`.
fn expand(tree: &str, before: &[String], items: &mut Vec<(String, Vec<String>)>) {
    let tree = tree.trim();
    if let Some((head, rest)) = tree.split_once('{') {
        let parts = [before, &parts(head)].concat();
        let body = rest.trim_end().strip_suffix('}').unwrap_or(rest);
        let mut depth = 0;
        let branches = body.split(|c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        });
        return branches.filter(|branch| !branch.trim().is_empty()).for_each(|branch| expand(branch, &parts, items));
    }
    let (path, name) = tree.split_once(" as ").unwrap_or((tree, tree.rsplit("::").next().unwrap_or(tree)));
    let mut parts = [before, &parts(path)].concat();
    let name = if parts.last().is_some_and(|last| last == "self") {
        parts.pop();
        parts.last().cloned().unwrap_or_default()
    } else {
        name.trim().to_owned()
    };
    items.push((name, parts));
}

fn parts(path: &str) -> Vec<String> {
    path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
