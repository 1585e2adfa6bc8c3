//! The protocol is published as it is served: as JSON Schema, TypeScript and OpenRPC, complete and usable.

mod against_reference;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::home::Home;
use crate::support::process::{Ended, Launch};

/// What the program writes into a folder, by path.
fn generate(command: &str, options: &[&str]) -> BTreeMap<PathBuf, String> {
    let home = Home::new();
    let ended = Launch::at(&home).args(&[command, "--out", "new/folder"]).args(options).run();
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));
    let mut files = BTreeMap::new();
    collect(&home.join("new/folder"), Path::new(""), &mut files);
    files
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(root.join(folder)).expect("a folder") {
        let path = folder.join(entry.expect("an entry").file_name());
        if root.join(&path).is_dir() {
            collect(root, &path, files);
        } else {
            let text = fs::read_to_string(root.join(&path)).expect("text");
            files.insert(path, text);
        }
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Every `$ref` in `schema`.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn assert_references_resolve(document: &Value, name: &str) {
    for reference in references(document) {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{name} refers to {reference}"));
        assert!(document.pointer(pointer).is_some(), "{name} refers to {reference}, which is not there");
    }
}

/// The methods of a union of messages.
fn methods(union: &Value) -> Vec<&str> {
    let variants = union["oneOf"].as_array().expect("a union").iter();
    variants.map(|variant| variant["properties"]["method"]["enum"][0].as_str().expect("a method")).collect()
}

#[test]
fn every_json_schema_is_valid_and_stands_alone() {
    for options in [&[][..], &["--experimental"]] {
        let files = generate("generate-json-schema", options);
        for (path, text) in &files {
            let (name, schema) = (path.display().to_string(), json(text));
            assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#", "{name}");
            jsonschema::meta::validate(&schema).unwrap_or_else(|e| panic!("{name}: {e}"));
            jsonschema::validator_for(&schema).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_references_resolve(&schema, &name);
        }
        let bundle = json(&files[Path::new("codex_app_server_protocol.v2.schemas.json")]);
        for name in ["ClientRequest", "ServerNotification", "ThreadListParams", "ThreadListResponse", "Thread"] {
            assert!(bundle["definitions"][name].is_object(), "{name}");
        }
        assert!(files.contains_key(Path::new("v2/ThreadListParams.json")));
        assert!(!files.contains_key(Path::new("v2/Thread.json")), "parts of messages are in the bundle only");
    }
}

#[test]
fn what_only_experimental_clients_may_use_is_published_on_demand() {
    let (stable, all) = (generate("generate-json-schema", &[]), generate("generate-json-schema", &["--experimental"]));
    let requests = |files: &BTreeMap<PathBuf, String>| json(&files[Path::new("ClientRequest.json")]);
    let (stable_requests, all_requests) = (requests(&stable), requests(&all));
    assert!(!methods(&stable_requests).contains(&"thread/search") && methods(&all_requests).contains(&"thread/search"));
    assert!(!stable.contains_key(Path::new("v2/ThreadSearchParams.json")));
    let start = |files: &BTreeMap<PathBuf, String>| json(&files[Path::new("v2/ThreadStartParams.json")]);
    assert!(start(&stable)["properties"].get("dynamicTools").is_none());
    assert!(start(&all)["properties"].get("dynamicTools").is_some());
    for (path, text) in generate("generate-ts", &[]) {
        assert!(!text.contains("dynamicTools") && !text.contains("thread/search"), "{}", path.display());
    }
}

#[test]
fn every_typescript_file_declares_its_type_and_imports_what_it_names() {
    let files = generate("generate-ts", &["--experimental"]);
    for (path, text) in &files {
        let name = path.file_stem().expect("a name").to_str().expect("text");
        let folder = path.parent().expect("a folder");
        assert_is_balanced(text, path);
        for line in text.lines().filter(|line| line.starts_with("import ") || line.starts_with("export * ")) {
            let target = beside(folder, line.split('"').nth(1).unwrap_or_else(|| panic!("{line}")));
            let is_there =
                files.contains_key(&target.with_extension("ts")) || files.contains_key(&target.join("index.ts"));
            assert!(is_there, "{}: {line}", path.display());
        }
        if name == "index" {
            continue;
        }
        let declaration = text.split("\nexport type ").nth(1).unwrap_or_else(|| panic!("{}", path.display()));
        assert!(declaration.starts_with(&format!("{name} = ")), "{}: {declaration}", path.display());
        assert!(declaration.ends_with(";\n"), "{}: {declaration}", path.display());
        let index = &files[&folder.join("index.ts")];
        assert!(index.contains(&format!("export type {{ {name} }} from \"./{name}\";")), "{name} is not in the index");
        for word in type_names(declaration) {
            let is_known = word == name || text.contains(&format!("import type {{ {word} }}"));
            assert!(is_known, "{} names {word}", path.display());
        }
    }
}

/// Where `relative` leads from `folder`.
fn beside(folder: &Path, relative: &str) -> PathBuf {
    let mut target = folder.to_owned();
    for part in relative.split('/').filter(|part| *part != ".") {
        if part == ".." {
            target.pop();
        } else {
            target.push(part);
        }
    }
    target
}

/// The words of a declaration that can only be names of our types: they begin with a capital letter, outside of
/// comments and texts.
fn type_names(declaration: &str) -> Vec<&str> {
    let code = declaration.lines().filter(|line| !line.trim_start().starts_with(['*', '/']));
    code.flat_map(|line| line.split('"').step_by(2))
        .flat_map(|code| code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()) && !["Array", "Record"].contains(word))
        .collect()
}

fn assert_is_balanced(text: &str, path: &Path) {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with(['*', '/'])).collect();
    let mut open = Vec::new();
    for letter in code.split('"').step_by(2).flat_map(str::chars) {
        match letter {
            '{' | '[' | '(' | '<' => open.push(letter),
            '}' => assert_eq!(open.pop(), Some('{'), "{}", path.display()),
            ']' => assert_eq!(open.pop(), Some('['), "{}", path.display()),
            ')' => assert_eq!(open.pop(), Some('('), "{}", path.display()),
            '>' => assert_eq!(open.pop(), Some('<'), "{}", path.display()),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{}: {open:?}", path.display());
}

#[test]
fn the_openrpc_document_has_every_method_and_goes_where_it_is_told() {
    let home = Home::new();
    let run = |arguments: &[&str]| -> Ended { Launch::at(&home).arg("generate-openrpc").args(arguments).run() };
    let printed = run(&["--experimental"]);
    assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""));
    let document = json(&printed.stdout);
    assert_references_resolve(&document, "openrpc");
    let names: Vec<&str> = document["methods"]
        .as_array()
        .expect("methods")
        .iter()
        .map(|it| it["name"].as_str().expect("a name"))
        .collect();
    let files = generate("generate-json-schema", &["--experimental"]);
    let mut expected = json(&files[Path::new("ClientRequest.json")]);
    let expected: Vec<String> = methods(&expected.take()).into_iter().map(str::to_owned).collect();
    assert_eq!(names, [expected.iter().map(String::as_str).collect(), vec!["initialized"]].concat());
    let rename = document["methods"].as_array().expect("methods").iter().find(|it| it["name"] == "thread/name/set");
    let params = rename.expect("it is there")["params"].as_array().expect("params");
    assert!(params.iter().all(|it| it["required"] == true) && params.len() == 2, "{params:?}");

    assert_eq!(run(&["--experimental", "--out", "file.json"]).stdout, "");
    assert_eq!(run(&["--experimental", "--out", "."]).stdout, "");
    for name in ["file.json", "openrpc.json"] {
        assert_eq!(fs::read_to_string(home.join(name)).expect("a file"), printed.stdout, "{name}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let home = Home::new();
    fs::write(home.join("taken"), "").expect("a file");
    for command in ["generate-json-schema", "generate-ts"] {
        let ended = Launch::at(&home).args(&[command, "--out", "taken"]).run();
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.starts_with("Error: cannot write taken/"), "{}", ended.stderr);
    }
}
