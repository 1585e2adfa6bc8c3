//! `apply_patch` as commands call it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use app_server_actors::patch::{Bounds, Planned, parse, plan};
use serde_json::json;

use super::commands_attempts::Place;
use crate::support::home::Home;
use crate::support::process::{Ended, Launch};

const PATCH: &str = "*** Begin Patch\n*** Update File: u.txt\n@@\n-old\n+new\n*** End Patch\n";
const DONE: &str = "Success. Updated the following files:\nM u.txt\n";

/// A working directory with `u.txt`, and with links to the binary in `bin`.
fn work() -> Home {
    let work = Home::new();
    fs::write(work.join("u.txt"), "old\n").expect("a file");
    fs::create_dir(work.join("bin")).expect("a folder");
    for name in ["apply_patch", "applypatch"] {
        symlink(env!("CARGO_BIN_EXE_codex-app-server"), work.join("bin").join(name)).expect("a link");
    }
    work
}

fn text(work: &Home, name: &str) -> String {
    fs::read_to_string(work.join(name)).expect("a file")
}

/// Runs a script of bash with the links in its PATH, and without a home and a server.
fn script(work: &Home, script: &str) -> Ended {
    let path = format!("{}:/usr/bin:/bin", work.join("bin").display());
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(work.path()).env_clear().env("PATH", path).stdin(Stdio::null());
    let output = command.output().expect("bash runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn planned(work: &Home, patch: &str) -> Planned {
    let bounds = Bounds::default();
    let patch = parse(patch, &bounds).expect("a patch");
    plan(&patch, work.path(), &bounds).expect("a patch that fits")
}

/// Hands a plan to the binary.
fn write(work: &Home, planned: &Planned) -> Ended {
    let mut process = Launch::at(work).args(&["apply-patch", "--planned"]).spawn();
    let json = serde_json::to_vec(planned).expect("JSON");
    process.stdin.as_mut().expect("a pipe").write_all(&json).expect("it reads");
    process.ended()
}

#[test]
fn a_patch_comes_in_every_way_that_a_shell_knows() {
    for way in [
        format!("apply_patch <<'EOF'\n{PATCH}EOF"),
        format!("applypatch <<'EOF'\n{PATCH}EOF\n"),
        format!("apply_patch '{PATCH}'"),
        format!("apply_patch \"{PATCH}\" && true"),
        format!("cat <<'EOF' | apply_patch\n{PATCH}EOF\n"),
        format!("cd bin && cd .. && apply_patch <<'EOF'\n{PATCH}EOF"),
        format!("bash -c \"apply_patch <<'EOF'\n{PATCH}EOF\""),
        format!("'{}' apply-patch '{PATCH}'", env!("CARGO_BIN_EXE_codex-app-server")),
    ] {
        let work = work();
        let ended = script(&work, &way);
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), DONE, ""), "{way}");
        assert_eq!(text(&work, "u.txt"), "new\n");
        assert_eq!(fs::read_dir(work.path()).expect("a folder").count(), 2, "nothing is left behind");
    }
}

#[test]
fn a_refusal_says_why_and_changes_nothing() {
    let work = work();
    for (patch, said) in [
        (PATCH.replace("-old", "-other"), "u.txt does not have these lines anywhere"),
        (PATCH.replace("*** End Patch", ""), "the last line of the patch must be"),
        (String::new(), "the patch is empty"),
    ] {
        let ended = script(&work, &format!("apply_patch <<'EOF'\n{patch}EOF"));
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
        assert_eq!(text(&work, "u.txt"), "old\n");
    }
    let ended = script(&work, "printf '\\xff' | apply_patch");
    assert_eq!(ended.stderr, "Error: stdin is not UTF-8 text; write the patch in UTF-8\n");
}

#[test]
fn what_was_planned_is_written_unless_the_file_has_changed() {
    let work = work();
    let plan = planned(&work, PATCH);
    let ended = write(&work, &plan);
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), DONE, ""));
    assert_eq!(text(&work, "u.txt"), "new\n");

    let ended = write(&work, &plan);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    let path = work.join("u.txt");
    let said = format!("{} changed since the patch was shown; read it again", path.display());
    assert!(ended.stderr.contains(&said), "{ended:?}");
}

#[test]
fn a_link_that_leads_out_later_is_not_followed() {
    let (work, outside) = (work(), Home::new());
    fs::create_dir(work.join("folder")).expect("a folder");
    let plan = planned(&work, "*** Begin Patch\n*** Add File: folder/new\n+x\n*** End Patch");
    fs::remove_dir(work.join("folder")).expect("it is empty");
    symlink(outside.path(), work.join("folder")).expect("a link");
    let ended = write(&work, &plan);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("folder/new leads elsewhere since the patch was shown"), "{ended:?}");
    assert!(outside.everything().is_empty());
}

#[test]
fn the_sandbox_decides_what_a_patch_may_write() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    fs::create_dir(place.workspace.path().join(".git")).expect("a folder");
    let outside = place.outside.path().join("victim").display().to_string();
    let (inside, read_only) = (place.workspace_write(), json!({"type": "readOnly"}));
    for (path, policy, code) in [
        ("victim", &inside, 0),
        ("new/file", &inside, 0),
        (".git/config", &inside, 1),
        (outside.as_str(), &inside, 1),
        ("victim", &read_only, 1),
    ] {
        let other = if code == 0 { "" } else { "*** Add File: other\n" };
        let patch = format!("*** Begin Patch\n{other}*** Add File: {path}\n+x\n*** End Patch\n");
        let command = [env!("CARGO_BIN_EXE_codex-app-server"), "apply-patch", &patch];
        let params = place.exec(&command, policy.clone(), json!({}));
        let result = place.client.call("command/exec", params);
        assert_eq!(result["exitCode"], code, "{path}: {result}");
        let says_so = result["stderr"].as_str().expect("text").contains("Nothing was written");
        assert_eq!(says_so, code == 1, "{result}");
    }
    place.assert_untouched("a patch");
    let names = |path: &Path| fs::read_dir(path).expect("a folder").count();
    assert_eq!(names(place.workspace.path()), 3, "victim, new and .git");
    assert_eq!(names(&place.workspace.path().join(".git")), 0);
}

#[test]
fn help_does_not_advertise_it_but_explains_it() {
    let help = |words: &[&str]| Launch::new().args(words).run().stdout;
    assert!(!help(&["--help"]).contains("apply-patch"));
    assert!(help(&["apply-patch", "--help"]).contains("Changes files as a patch says"));
}
