//! Skills: clients list them and turn them off, the model is told of them, and what a message names goes along whole.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::support::agent::{Agent, told};
use crate::support::client::Client;
use crate::support::model::Reply;
use crate::support::process::Launch;
use crate::support::server::Server;

/// A place with a skill of the user and one of the project.
struct Place {
    agent: Agent,
    server: Server,
    client: Client,
}

impl Place {
    fn new(replies: usize) -> Self {
        Self::with(replies, |launch| launch)
    }

    fn with(replies: usize, launch: impl FnOnce(Launch) -> Launch) -> Self {
        let agent = Agent::new((0..replies).map(|_| Reply::text("Done.")));
        fs::create_dir_all(agent.work.join(".git/refs")).expect("a project");
        let launched = agent.launch();
        let home = launched.home().path().display().to_string();
        let started = launched.env("HOME", &home);
        let server = Server::unix(launch(started));
        let place = Self { client: server.client(), agent, server };
        place.write(&place.server.process.codex_home().join("skills/tidy/SKILL.md"), "tidy", "puts things in order");
        place.write(&place.agent.work.join(".agents/skills/build/SKILL.md"), "build", "builds the project");
        place
    }

    fn write(&self, file: &std::path::Path, name: &str, description: &str) {
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        let text = format!("---\nname: {name}\ndescription: {description}\n---\nThe way of {name}.\n");
        fs::write(file, text).expect("a skill");
    }

    /// The entry of the project in the list.
    fn list(&mut self) -> Value {
        let cwd = json!({"cwds": [self.agent.work.path()], "forceReload": true});
        self.client.call("skills/list", cwd)["data"][0].take()
    }

    fn enabled(&mut self, name: &str) -> bool {
        let skills = self.list()["skills"].take();
        let skill = skills.as_array().expect("a list").iter().find(|skill| skill["name"] == name).cloned();
        skill.expect("it is listed")["enabled"].as_bool().expect("a truth")
    }

    /// What the model was told before the answer `number`, in its order.
    fn told_model(&self, number: usize) -> String {
        self.agent.model.wait_for_requests(number + 1)[number].said_by("user").join("\n")
    }

    fn say(&mut self, thread: &str, input: Value) -> Vec<Value> {
        self.client.call("turn/start", json!({"threadId": thread, "input": input}));
        told(&mut self.client)
    }
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

#[test]
fn a_list_has_the_projects_and_the_users_skills_and_each_fault() {
    let mut place = Place::new(0);
    let broken = place.agent.work.join(".agents/skills/broken/SKILL.md");
    fs::create_dir_all(broken.parent().expect("a folder")).expect("a folder");
    fs::write(&broken, "no head").expect("a file");
    let list = place.list();
    let shown: Vec<[&Value; 4]> = (list["skills"].as_array().expect("a list").iter())
        .map(|skill| [&skill["name"], &skill["scope"], &skill["enabled"], &skill["pluginId"]])
        .collect();
    let (yes, none) = (json!(true), Value::Null);
    let expected = [[&json!("build"), &json!("repo"), &yes, &none], [&json!("tidy"), &json!("user"), &yes, &none]];
    assert_eq!(shown, expected);
    let many = json!({"cwds": vec![place.agent.work.path(); 65]});
    assert_eq!(place.client.refusal("skills/list", many).code, -32602);
    let fault = &list["errors"][0];
    assert_eq!(fault["message"], "missing YAML frontmatter delimited by ---");
    assert!(fault["path"].as_str().expect("a path").ends_with("/broken/SKILL.md"), "{fault}");
}

#[test]
fn a_skill_is_turned_off_and_on_and_everyone_hears_of_it() {
    let mut place = Place::new(1);
    let mut other = place.server.client();
    let before = fs::read_to_string(place.server.process.codex_home().join("config.toml")).expect("a file");
    let off = place.client.call("skills/config/write", json!({"name": "tidy", "enabled": false}));
    assert_eq!(off, json!({"effectiveEnabled": false}));
    other.next_notification("skills/changed");
    assert!(!place.enabled("tidy") && place.enabled("build"));
    let thread = place.agent.thread(&mut place.client, json!({}));
    place.say(&thread, json!([text("$tidy up")]));
    let request = place.told_model(0);
    assert!(request.contains("- build: builds the project") && !request.contains("puts things in order"), "{request}");
    assert!(!request.contains("The way of tidy."), "{request}");
    place.client.call("skills/config/write", json!({"name": "tidy", "enabled": true}));
    assert!(place.enabled("tidy"));
    assert_eq!(fs::read_to_string(place.server.process.codex_home().join("config.toml")).expect("a file"), before);
    for wrong in [json!({"enabled": true}), json!({"name": "a", "path": "/a", "enabled": true})] {
        assert_eq!(place.client.refusal("skills/config/write", wrong).code, -32602);
    }
}

#[test]
fn folders_that_a_client_names_count_for_all_clients() {
    let mut place = Place::new(0);
    let extra = place.agent.work.join("more");
    place.write(&extra.join("deploy/SKILL.md"), "deploy", "brings it out");
    let mut other = place.server.client();
    assert_eq!(place.client.call("skills/extraRoots/set", json!({"extraRoots": [extra]})), json!({}));
    other.next_notification("skills/changed");
    assert!(place.enabled("deploy"));
    place.client.call("skills/extraRoots/set", json!({"extraRoots": []}));
    let names = place.list()["skills"].to_string();
    assert!(!names.contains("deploy"), "{names}");
}

#[test]
fn the_model_is_told_of_skills_once_and_of_changes() {
    let mut place = Place::new(3);
    let thread = place.agent.thread(&mut place.client, json!({}));
    place.say(&thread, json!([text("one")]));
    place.say(&thread, json!([text("two")]));
    let late = place.agent.work.join(".agents/skills/late/SKILL.md");
    place.write(&late, "late", "came later");
    place.say(&thread, json!([text("three")]));
    let times = |number: usize| place.told_model(number).matches("- build: builds the project (").count();
    assert_eq!([times(0), times(1), times(2)], [1, 1, 2]);
    assert!(place.told_model(2).contains("- late: came later ("));
}

#[test]
fn what_a_message_names_is_put_into_the_turn_and_nothing_else_is() {
    let mut place = Place::new(3);
    let thread = place.agent.thread(&mut place.client, json!({}));
    place.say(&thread, json!([text("please $build it")]));
    assert!(place.told_model(0).contains("The way of build."));
    assert!(!place.told_model(0).contains("The way of tidy."));
    let path = place.list()["skills"][1]["path"].take();
    place.say(&thread, json!([text("go"), {"type": "skill", "name": "tidy", "path": path}]));
    assert!(place.told_model(1).contains("The way of tidy."));
    let secret = place.server.process.codex_home().join("config.toml");
    place.say(&thread, json!([text("go"), {"type": "skill", "name": "tidy", "path": secret}]));
    assert!(!place.told_model(2).contains("model_provider"), "no file is read because a client calls it a skill");
}

#[test]
fn a_project_cannot_have_other_files_read_or_turn_skills_on() {
    let mut place = Place::new(1);
    let home = place.server.process.codex_home().to_path_buf();
    let secret = home.join("secret/SKILL.md");
    place.write(&secret, "secret", "not for this project");
    let skills = place.agent.work.join(".agents/skills");
    symlink(home.join("secret"), skills.join("out")).expect("a link");
    fs::create_dir_all(skills.join("file")).expect("a folder");
    symlink(&secret, skills.join("file/SKILL.md")).expect("a link");
    fs::create_dir_all(place.agent.work.join(".codex")).expect("a folder");
    fs::write(place.agent.work.join(".codex/config.toml"), "[[skills.config]]\nname = \"tidy\"\nenabled = true\n")
        .expect("a file");
    let config = home.join("config.toml");
    let trusted = format!("\n[projects.\"{}\"]\ntrust_level = \"trusted\"\n", place.agent.work.path().display());
    fs::write(&config, fs::read_to_string(&config).expect("a file") + &trusted).expect("a file");
    place.client.call("skills/config/write", json!({"name": "tidy", "enabled": false}));
    assert!(!place.enabled("tidy"));
    let list = place.list();
    assert!(!list.to_string().contains("not for this project"), "{list}");
    let thread = place.agent.thread(&mut place.client, json!({}));
    place.say(&thread, json!([text("$secret")]));
    assert!(!place.told_model(0).contains("The way of secret."));
}

#[test]
fn a_skill_that_does_not_fit_into_the_message_is_named_to_the_user() {
    let mut place = Place::with(1, |launch| launch.setting("limits.skill_message_bytes", 10));
    let thread = place.agent.thread(&mut place.client, json!({}));
    let told = place.say(&thread, json!([text("$build")]));
    let warning = told.iter().find(|message| message["method"] == "warning").expect("a warning");
    let words = warning["params"]["message"].as_str().expect("text");
    assert!(words.contains("The skill build") && words.contains("limits.skill_message_bytes"), "{words}");
    assert!(!place.told_model(0).contains("The way of build."));
}
