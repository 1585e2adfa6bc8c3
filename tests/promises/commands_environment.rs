//! What a command inherits: the environment as the user's policy filters it, and a clean state.

use serde_json::{Value, json};

use super::commands_attempts::Place;
use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

fn server(config: &str) -> Server {
    let launch = Launch::at(&Home::with_config(config));
    Server::unix(launch.env("MY_API_KEY", "a").env("AWS_SECRET", "b").env("FOO", "c").env("LANG", "C"))
}

fn environment(client: &mut Client, policy: Value) -> String {
    let params = json!({"command": ["env"], "sandboxPolicy": policy, "env": {"OWN_TOKEN": "d"}, "timeoutMs": 600_000});
    client.call("command/exec", params)["stdout"].as_str().expect("text").to_owned()
}

#[test]
fn the_policy_for_the_environment_is_obeyed() {
    for (policy, there, gone) in [
        ("ignore_default_excludes = false", vec!["FOO=c"], vec!["MY_API_KEY", "AWS_SECRET"]),
        ("inherit = 'core'\nset = { A_KEY = '1' }", vec!["LANG=C", "A_KEY=1"], vec!["FOO", "MY_API_KEY"]),
        ("inherit = 'none'", vec![], vec!["FOO", "LANG", "PATH="]),
        ("exclude = ['aws_*']", vec!["MY_API_KEY=a"], vec!["AWS_SECRET"]),
        ("include_only = ['F*']", vec!["FOO=c"], vec!["LANG", "MY_API_KEY"]),
    ] {
        let server = server(&format!("[shell_environment_policy]\n{policy}\n"));
        let mut client = server.client();
        let env = environment(&mut client, json!({"type": "dangerFullAccess"}));
        assert!(there.iter().all(|text| env.contains(text)), "{policy}: {env}");
        assert!(!gone.iter().any(|text| env.contains(text)), "{policy}: {env}");
        assert!(env.contains("OWN_TOKEN=d"), "the client has the last word: {env}");
    }
}

#[test]
fn a_policy_that_cannot_be_obeyed_runs_nothing() {
    let server = server("[shell_environment_policy]\nexperimental_use_profile = true\n");
    let mut client = server.client();
    let params = json!({"command": ["env"], "sandboxPolicy": {"type": "dangerFullAccess"}});
    let refusal = client.refusal("command/exec", params);
    assert!(refusal.message.contains("does not read the shell's profile"), "{refusal:?}");
}

#[test]
fn a_setting_without_effect_is_told() {
    let server = server("notify = ['true']\nforced_login_method = 'api'\n");
    let mut client = server.client();
    loop {
        let warning = client.next_notification("configWarning");
        if warning["summary"] == "This server does not act on some of your settings." {
            let details = warning["details"].as_str().expect("text");
            assert!(details.contains("`notify` has no effect here"), "{warning}");
            return assert!(details.contains("`forced_login_method` has no effect here"), "{warning}");
        }
    }
}

#[test]
fn a_command_starts_with_a_clean_state() {
    let shm = 3 << 20;
    let launch = Launch::new().setting("limits.command_shm_bytes", shm);
    let mut place = Place::new(launch);
    let confines = place.confines();
    for policy in [json!({"type": "dangerFullAccess"}), json!({"type": "readOnly"})] {
        if !confines && policy["type"] == "readOnly" {
            return;
        }
        let script = "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status; cat /proc/self/oom_score_adj";
        let result = place.shell(script, policy.clone());
        let stdout = result["stdout"].as_str().expect("text");
        let none = "0000000000000000";
        // Two signals belong to the C library, which ignores them in everything that it spawns.
        let ignored = stdout.lines().nth(1).expect("a line").replace("180000000", "000000000");
        assert!(stdout.starts_with(&format!("SigBlk:\t{none}\n")), "{policy}: {stdout}");
        assert_eq!(ignored, format!("SigIgn:\t{none}"), "{policy}");
        let standing: i32 = stdout.lines().last().expect("a line").parse().expect("a number");
        assert!(standing >= 500, "{standing}");
    }
    let own = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let result = place.shell("ulimit -Sn", json!({"type": "readOnly"}));
    let expected = own.current.map_or("unlimited".to_owned(), |limit| limit.to_string());
    assert_eq!(result["stdout"], format!("{expected}\n"), "the limit that the server was started with");
    let script = "head -c 4000000 /dev/zero > /dev/shm/f; stat -c %s /dev/shm/f";
    let result = place.shell(script, json!({"type": "readOnly"}));
    assert_eq!(result["stdout"], format!("{shm}\n"), "{result}");
}

#[test]
fn a_command_keeps_within_its_bounds() {
    let launch = Launch::new().setting("limits.command_processes", 20).setting("limits.command_memory_bytes", 64 << 20);
    let mut place = Place::new(launch.without_privileges());
    if !place.confines() {
        return;
    }
    let script = "i=0; while [ $i -lt 40 ]; do sleep 600 & i=$((i+1)); done; echo all";
    let result = place.shell(script, json!({"type": "readOnly"}));
    assert_ne!(result["stdout"], "all\n", "more processes than it may have");
    // Another one beside it has its own.
    assert_eq!(place.shell("true & true & wait; echo fine", json!({"type": "readOnly"}))["stdout"], "fine\n");
    let result = place.shell("head -c 200000000 /dev/zero | tail -c 190000000 | wc -c", json!({"type": "readOnly"}));
    assert_ne!(result["stdout"], "190000000\n", "more memory than it may have");
}
