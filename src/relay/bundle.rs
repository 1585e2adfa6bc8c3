//! One script of many modules, so that the first load of the page takes two rounds on a slow network instead of five.
//!
//! Each module becomes a function that is called once and returns what the module exports; each `import` becomes a constant. This
//! understands the forms in which the modules of the page are written: `import` and `export` at the start of a line, and in
//! scripts of others, which are one line, `import` at their start and `export` at their end.

use std::fmt::Write as _;

/// Scripts of others, as their authors publish them.
const VENDOR: &str = "/vendor/";

/// A module is missing, imports itself over others, or is written in another form.
#[derive(Debug, thiserror::Error)]
#[error("{0}: {1}")]
pub struct CannotBundle(String, &'static str);

/// A script of many modules.
pub struct Bundled {
    /// The script, without imports and exports.
    pub script: String,
    /// The paths of the modules in it.
    pub modules: Vec<String>,
}

/// The script that does what the module at the path `entry` does, with everything that it imports. `source` is the text of a
/// module.
///
/// # Errors
/// See [`CannotBundle`].
pub fn bundle<'a>(entry: &str, source: impl Fn(&str) -> Option<&'a str>) -> Result<Bundled, CannotBundle> {
    let mut bundle = Bundle { source, begun: Vec::new(), done: Vec::new(), script: String::new() };
    bundle.add(entry)?;
    Ok(Bundled { script: bundle.script, modules: bundle.done })
}

struct Bundle<S> {
    source: S,
    /// The modules whose imports are being added.
    begun: Vec<String>,
    /// The modules in the script; the place of one is its number.
    done: Vec<String>,
    script: String,
}

impl<'a, S: Fn(&str) -> Option<&'a str>> Bundle<S> {
    /// The number of the module at `path`, which is added unless it is there.
    fn add(&mut self, path: &str) -> Result<usize, CannotBundle> {
        if let Some(number) = self.done.iter().position(|it| it == path) {
            return Ok(number);
        }
        let wrong = |why| CannotBundle(path.to_owned(), why);
        if self.begun.iter().any(|it| it == path) {
            return Err(wrong("it imports itself over others"));
        }
        let text = (self.source)(path).ok_or_else(|| wrong("there is no such module"))?;
        self.begun.push(path.to_owned());
        let (imports, body) = split_imports(text);
        let mut code = String::new();
        for import in imports {
            let (clause, from) = read_import(import).ok_or_else(|| wrong("an import has an unknown form"))?;
            let from = from.strip_prefix('.').ok_or_else(|| wrong("an import is no path"))?;
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let number = self.add(&format!("{folder}{from}"))?;
            code += &constant(clause, number).ok_or_else(|| wrong("an import has an unknown form"))?;
        }
        let (body, exported) = if path.starts_with(VENDOR) { export_at_end(body) } else { Some(exports(body)) }
            .ok_or_else(|| wrong("it exports nothing"))?;
        self.begun.pop();
        let number = self.done.len();
        // Writing to a string cannot fail.
        let _ = write!(self.script, "const m{number} = (() => {{\n{code}{body}\nreturn {{ {exported} }};\n}})();\n");
        self.done.push(path.to_owned());
        Ok(number)
    }
}

/// The imports at the start of a module, without comments, and the rest.
fn split_imports(text: &str) -> (Vec<&str>, &str) {
    let (mut imports, mut rest) = (Vec::new(), text);
    loop {
        let line_end = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let is_import = rest.starts_with("import ") || rest.starts_with("import{");
        if is_import && let Some((import, after)) = rest.split_once(';') {
            imports.push(import);
            rest = after.trim_start_matches('\n');
        } else if !rest.is_empty() && (rest.starts_with("//") || rest.starts_with('\n')) {
            rest = &rest[line_end..];
        } else {
            return (imports, rest);
        }
    }
}

/// What is imported, and the path from which.
fn read_import(import: &str) -> Option<(&str, &str)> {
    let (clause, path) = import.strip_prefix("import")?.rsplit_once("from")?;
    Some((clause.trim(), path.trim().strip_prefix('"')?.strip_suffix('"')?))
}

/// The constant for what is imported from the module with this number.
fn constant(clause: &str, number: usize) -> Option<String> {
    if let Some(names) = clause.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
        return Some(format!("const {{ {} }} = m{number};\n", names.trim().replace(" as ", ": ")));
    }
    let whole = clause.strip_prefix("* as ");
    let name = whole.unwrap_or(clause);
    let is_name = name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    let member = if whole.is_some() { "" } else { ".default" };
    is_name.then(|| format!("const {name} = m{number}{member};\n"))
}

/// The module without the word `export`, and the names that it exports.
fn exports(body: &str) -> (String, String) {
    let (mut code, mut names) = (String::with_capacity(body.len()), Vec::new());
    for line in body.lines() {
        let Some(exported) = line.strip_prefix("export ") else {
            code += line;
            code.push('\n');
            continue;
        };
        if let Some(list) = exported.strip_prefix('{').and_then(|it| it.strip_suffix("};")) {
            names.push(list.trim().to_owned());
            continue;
        }
        let kinds = ["async function ", "function ", "class ", "const "];
        let named = kinds.iter().find_map(|kind| exported.strip_prefix(kind)).unwrap_or_default();
        names.push(
            named.split(|it: char| !it.is_ascii_alphanumeric() && it != '_').next().unwrap_or_default().to_owned(),
        );
        code += exported;
        code.push('\n');
    }
    (code, names.join(", "))
}

/// The same for a script of others.
fn export_at_end(body: &str) -> Option<(String, String)> {
    let (code, exported) = body.trim_end().trim_end_matches(';').rsplit_once("export")?;
    if let Some(value) = exported.strip_prefix(" default ") {
        return Some((code.to_owned(), format!("default: {value}")));
    }
    let list = exported.strip_prefix('{')?.strip_suffix('}')?;
    let member = |it: &str| it.split_once(" as ").map_or(it.to_owned(), |(own, name)| format!("{name}: {own}"));
    Some((code.to_owned(), list.split(',').map(member).collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundled(entry: &str, modules: &[(&str, &'static str)]) -> Result<String, CannotBundle> {
        let found = |path: &str| modules.iter().find(|(name, _)| *name == path).map(|(_, text)| *text);
        bundle(entry, found).map(|bundled| bundled.script)
    }

    #[test]
    fn every_form_of_import_and_export_is_understood() {
        let modules = [
            (
                "/a.js",
                "// About.\n\nimport whole from \"./vendor/d.js\";\nimport { one, two as second } from \"./b.js\";\nimport * as b from \"./b.js\";\n\n\
                 whole(one, second, b);\nconst lazy = () => import(\"./b.js\");\n",
            ),
            (
                "/b.js",
                "import { x } from \"./vendor/v.js\";\nexport const one = x;\nexport async function two() {}\nclass Own {}\nexport { Own, x };\n",
            ),
            ("/vendor/v.js", "import{n as i}from\"./w.js\";var t=i;export{t as x,i};\n"),
            ("/vendor/w.js", "var q=1;export{q as n};"),
            ("/vendor/d.js", "var u=1;export default function(s){return u}"),
        ];
        let expected = "\
            const m0 = (() => {\nvar u=1;\nreturn { default: function(s){return u} };\n})();\n\
            const m1 = (() => {\nvar q=1;\nreturn { n: q };\n})();\n\
            const m2 = (() => {\nconst { n: i } = m1;\nvar t=i;\nreturn { x: t, i };\n})();\n\
            const m3 = (() => {\nconst { x } = m2;\nconst one = x;\nasync function two() {}\nclass Own {}\n\nreturn { one, two, Own, x };\n})();\n\
            const m4 = (() => {\nconst whole = m0.default;\nconst { one, two: second } = m3;\nconst b = m3;\n\
            whole(one, second, b);\nconst lazy = () => import(\"./b.js\");\n\nreturn {  };\n})();\n";
        assert_eq!(bundled("/a.js", &modules).unwrap(), expected);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let error = |modules: &[(&str, &'static str)]| bundled("/a.js", modules).unwrap_err().to_string();
        assert_eq!(error(&[]), "/a.js: there is no such module");
        assert_eq!(error(&[("/a.js", "import { b } from \"./b.js\";")]), "/b.js: there is no such module");
        assert_eq!(error(&[("/a.js", "import { b } from \"else\";")]), "/a.js: an import is no path");
        assert_eq!(error(&[("/a.js", "import \"./b.js\";")]), "/a.js: an import has an unknown form");
        let circle = [("/a.js", "import { b } from \"./b.js\";"), ("/b.js", "import { a } from \"./a.js\";")];
        assert_eq!(error(&circle), "/a.js: it imports itself over others");
    }
}
