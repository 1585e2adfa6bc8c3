use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::protocol::catalog::SkillScope;
use crate::protocol::item::UserInput;

struct Place {
    dir: tempfile::TempDir,
    search: SkillSearch,
}

impl Place {
    /// A project `work` with a folder `sub`, in which the user is, and a home.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().canonicalize().unwrap().join(name);
        fs::create_dir_all(at("work/.git/refs")).unwrap();
        fs::create_dir_all(at("work/sub")).unwrap();
        fs::create_dir_all(at("codex")).unwrap();
        let search = SkillSearch {
            codex_home: at("codex"),
            user_home: Some(at("")),
            machine: at("etc/skills"),
            extra_roots: Arc::default(),
            cwd: at("work/sub"),
            root_markers: vec![".git".to_owned()],
            choices: Vec::new(),
            bounds: SkillBounds { folders: 64, file_bytes: 4096, list_bytes: 4096, message_bytes: 8192 },
        };
        Self { dir, search }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn skill(&self, folder: &str, name: &str, description: &str) {
        let text = format!("---\nname: {name}\ndescription: {description}\n---\nBody of {name}.\n");
        self.write(&format!("{folder}/SKILL.md"), &text);
    }

    fn names(&self) -> Vec<String> {
        self.search.find().skills.into_iter().map(|skill| skill.shown.name).collect()
    }

    fn faults(&self) -> Vec<(String, String)> {
        let faults = self.search.find().faults.into_iter();
        let root = self.path("").display().to_string();
        faults.map(|fault| (fault.path.replace(&root, ""), fault.message)).collect()
    }
}

fn said(text: &str) -> Vec<UserInput> {
    vec![UserInput::Text { text: text.to_owned(), text_elements: Vec::new() }]
}

#[test]
fn skills_are_found_where_projects_users_and_machines_keep_them() {
    let place = Place::new();
    for (folder, name) in [
        ("work/.agents/skills/one", "of-project"),
        ("work/sub/.codex/skills/deep/er", "of-folder"),
        ("codex/skills/two", "of-user"),
        (".agents/skills/three", "of-home"),
        ("codex/skills/.system/four", "of-reference"),
        ("etc/skills/five", "of-machine"),
        (".codex/skills/six", "above-the-project"),
        ("work/.agents/skills/.hidden", "hidden"),
    ] {
        place.skill(folder, name, "does things");
    }
    let found = place.search.find();
    let shown: Vec<_> = found.skills.iter().map(|skill| (skill.shown.scope, skill.shown.name.as_str())).collect();
    use SkillScope::*;
    let expected = [
        (Repo, "of-folder"),
        (Repo, "of-project"),
        (User, "of-home"),
        (User, "of-user"),
        (System, "of-reference"),
        (Admin, "of-machine"),
    ];
    assert_eq!(shown, expected);
    assert!(found.faults.is_empty(), "{:?}", found.faults);
}

#[test]
fn the_head_of_a_file_is_read_as_people_write_it() {
    let place = Place::new();
    place.write("codex/skills/a/SKILL.md", "\u{feff}---\r\ndescription: >\r\n  folded\r\n  lines\r\n---\r\nx");
    place.skill("codex/skills/b", "b", "with: a colon");
    place.skill("codex/skills/c", "c", "'quoted'\nmetadata:\n  short-description: short\n  other: [1, 2]");
    place.write(
        "codex/skills/c/agents/openai.yaml",
        "interface:\n  display_name: C!\n  icon_small: ./assets/c.png\n  icon_large: ../../../auth.json\n  brand_color: red\n\
         dependencies:\n  tools:\n    - type: mcp\n      value: github\n",
    );
    let shown: Vec<_> = place.search.find().skills.into_iter().map(|skill| skill.shown).collect();
    let told = shown.iter().map(|skill| (skill.name.as_str(), skill.description.as_str())).collect::<Vec<_>>();
    assert_eq!(told, [("a", "folded lines"), ("b", "with: a colon"), ("c", "quoted")]);
    assert_eq!(shown[2].short_description.as_deref(), Some("short"));
    let interface = shown[2].interface.as_ref().unwrap();
    assert_eq!(interface.display_name.as_deref(), Some("C!"));
    assert_eq!(interface.icon_small.as_ref().unwrap().as_path(), place.path("codex/skills/c/assets/c.png"));
    assert_eq!((&interface.icon_large, &interface.brand_color), (&None, &None));
    assert_eq!(shown[2].dependencies.as_ref().unwrap().tools[0].value, "github");
}

#[test]
fn each_broken_file_costs_itself_only_and_says_why() {
    let place = Place::new();
    place.skill("codex/skills/good", "good", "works");
    place.write("codex/skills/no-head/SKILL.md", "text");
    place.write("codex/skills/no-words/SKILL.md", "---\nname: x\n---\n");
    place.write("codex/skills/endless/SKILL.md", &format!("---\nname: x\n{}", "a: b\n".repeat(700)));
    place.write("codex/skills/huge/SKILL.md", &format!("---\nname: x\ndescription: y\n---\n{}", "z".repeat(5000)));
    place.skill("codex/skills/long", &"n".repeat(65), "long");
    place.write("codex/skills/bomb/SKILL.md", &bomb());
    let faults = place.faults();
    let message = |folder: &str| {
        let path = format!("codex/skills/{folder}/SKILL.md");
        faults.iter().find(|(fault, _)| *fault == path).map(|(_, message)| message.as_str()).unwrap_or("none")
    };
    assert_eq!(message("no-head"), "missing YAML frontmatter delimited by ---");
    assert_eq!(message("no-words"), "missing field `description`");
    assert_eq!(message("endless"), "missing YAML frontmatter delimited by ---");
    assert_eq!(message("huge"), "failed to read file: it is larger than 4096 bytes (limits.skill_file_bytes)");
    assert_eq!(message("long"), "invalid name: exceeds maximum length of 64 characters");
    // What is not YAML within its bounds is read line by line.
    assert_eq!(place.names(), ["bomb", "good"]);
}

/// YAML that would unfold to thousands of millions of values.
fn bomb() -> String {
    let mut text = "---\na0: &a0 [x, x]\n".to_owned();
    for level in 1..32 {
        text.push_str(&format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1));
    }
    text + "name: bomb\ndescription: *a31\n---\n"
}

#[test]
fn links_of_a_project_do_not_lead_out_of_it_and_those_of_the_user_may() {
    let place = Place::new();
    place.skill("elsewhere/secret", "secret", "not of this project");
    place.skill("work/lib/shared", "shared", "of this project");
    let skills = place.path("work/.agents/skills");
    fs::create_dir_all(skills.join("file")).unwrap();
    symlink(place.path("elsewhere"), skills.join("out")).unwrap();
    symlink(place.path("work/lib"), skills.join("in")).unwrap();
    symlink(place.path("elsewhere/secret/SKILL.md"), skills.join("file/SKILL.md")).unwrap();
    symlink(&skills, skills.join("circle")).unwrap();
    assert_eq!(place.names(), ["shared"]);
    fs::create_dir_all(place.path("codex/skills")).unwrap();
    symlink(place.path("elsewhere"), place.path("codex/skills/mine")).unwrap();
    assert_eq!(place.names(), ["shared", "secret"]);
}

#[test]
fn more_folders_than_allowed_are_reported() {
    let mut place = Place::new();
    place.search.bounds.folders = 3;
    (0..5).for_each(|i| place.skill(&format!("codex/skills/{i}"), &format!("s{i}"), "x"));
    assert_eq!(place.names().len(), 2, "the root is a folder, too");
    assert_eq!(place.faults(), [("codex/skills".to_owned(), "more than 3 folders (limits.skill_folders)".to_owned())]);
}

#[test]
fn the_model_is_told_what_fits() {
    let mut place = Place::new();
    assert_eq!(place.search.find().told(4096, false), None);
    assert!(place.search.find().told(4096, true).unwrap().contains("none any more"));
    place.skill("codex/skills/a", "alpha", &"ä".repeat(300));
    place.skill("codex/skills/b", "beta", "short");
    place.skill("codex/skills/c", "only-when-asked", "x");
    place.write("codex/skills/c/agents/openai.yaml", "policy:\n  allow_implicit_invocation: false\n");
    let told = |place: &Place, most| place.search.find().told(most, false).unwrap();
    let whole = told(&place, 4096);
    assert!(whole.contains(&"ä".repeat(300)) && whole.contains("- beta: short (/"), "{whole}");
    assert!(!whole.contains("only-when-asked"), "{whole}");
    let lengths = place.search.find().skills.iter().map(|skill| skill.shown.path.len()).sum::<usize>();
    let shortened = told(&place, lengths + 100);
    assert!(shortened.contains("ä… (/") && shortened.contains("- beta: short (/"), "{shortened}");
    let cut = told(&place, lengths / 3 + 30);
    assert!(cut.contains("alpha") && !cut.contains("beta") && cut.contains("1 more are not listed"), "{cut}");
    place.search.choices = vec![SkillChoice { path: None, name: Some("alpha".to_owned()), enabled: false }];
    assert!(!told(&place, 4096).contains("alpha"), "what is off is not told");
}

#[test]
fn what_a_message_names_goes_along_as_a_whole() {
    let place = Place::new();
    place.skill("codex/skills/a", "alpha", "x");
    place.skill("codex/skills/b", "twin", "x");
    place.skill("work/.agents/skills/b", "twin", "x");
    let called = |content: &[UserInput]| place.search.find().called(content, 8192, 4096).texts;
    let alpha = called(&said("please use $alpha."));
    assert_eq!(alpha.len(), 1);
    assert!(alpha[0].starts_with("<skill>\n<name>alpha</name>\n<path>/") && alpha[0].contains("Body of alpha."));
    assert!(called(&said("$twin $nobody costs $alphabet")).is_empty(), "one of two is not chosen");
    let path = place.path("work/.agents/skills/b/SKILL.md").display().to_string();
    assert_eq!(called(&said(&format!("[$twin]({path})"))).len(), 1);
    assert_eq!(called(&[UserInput::Skill { name: "any".to_owned(), path }]).len(), 1);
    let secret = UserInput::Skill { name: "alpha".to_owned(), path: "/etc/passwd".to_owned() };
    assert!(called(&[secret]).is_empty(), "a client cannot have any file read as a skill");
    let found = place.search.find();
    let most = found.called(&said("$alpha"), 10, 4096);
    assert!(most.texts.is_empty() && most.missing[0].contains("limits.skill_message_bytes"), "{most:?}");
}

#[test]
fn a_file_that_became_a_link_meanwhile_is_not_read() {
    let place = Place::new();
    place.skill("work/.agents/skills/a", "alpha", "x");
    let found = place.search.find();
    let file = place.path("work/.agents/skills/a/SKILL.md");
    fs::remove_file(&file).unwrap();
    symlink(Path::new("/etc/passwd"), &file).unwrap();
    let called = found.called(&said("$alpha"), 8192, 4096);
    assert!(called.texts.is_empty() && called.missing[0].contains("cannot be read"), "{called:?}");
}
