//! Valid combinations of auth flags, and the files that they accept (spec: local transports 5.1).

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::home::Home;
use crate::support::process::{Ended, Launch};
use crate::support::secrets::{self, sha256_hex};
use crate::support::server::Server;

const CAPABILITY: [&str; 2] = ["--ws-auth", "capability-token"];
const SIGNED: [&str; 2] = ["--ws-auth", "signed-bearer-token"];

fn run(listen: &str, flags: &[&str]) -> Ended {
    Launch::new().args(&["--listen", listen]).args(flags).run()
}

fn refusal(listen: &str, flags: &[&str]) -> String {
    let ended = run(listen, flags);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{flags:?}: {ended:?}");
    ended.stderr
}

#[test]
fn flags_that_do_not_go_together_are_refused_for_every_transport() {
    let digest = sha256_hex("a token that is never used");
    let no_mode = "websocket auth flags require `--ws-auth capability-token` or `--ws-auth signed-bearer-token`";
    let only_signed = "`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and `--ws-max-clock-skew-seconds` \
                       require `--ws-auth signed-bearer-token`";
    let only_capability =
        "`--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, not `signed-bearer-token`";
    let no_token = "`--ws-token-file` or `--ws-token-sha256` is required when `--ws-auth capability-token` is set";
    let no_secret = "`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set";
    let with = |mode: [&'static str; 2], flags: &[&'static str]| [&mode, flags].concat();
    let cases = [
        (vec!["--ws-issuer", "i"], no_mode),
        (with(CAPABILITY, &[]), no_token),
        (with(CAPABILITY, &["--ws-token-file", "t", "--ws-audience", "a"]), only_signed),
        (
            with(CAPABILITY, &["--ws-token-sha256", "beef"]),
            "--ws-token-sha256 must be a 64-character hex SHA-256 digest",
        ),
        (with(SIGNED, &[]), no_secret),
        (with(SIGNED, &["--ws-shared-secret-file", "s", "--ws-token-file", "t"]), only_capability),
        (
            with(SIGNED, &["--ws-shared-secret-file", "s", "--ws-max-clock-skew-seconds", "18446744073709551615"]),
            "websocket auth clock skew must fit in a signed 64-bit integer",
        ),
    ];
    for listen in ["stdio://", "unix://", "ws://127.0.0.1:0"] {
        for (flags, text) in &cases {
            assert_eq!(refusal(listen, flags), format!("Error: {text}\n"), "{listen} {flags:?}");
        }
        let both = [&CAPABILITY[..], &["--ws-token-file", "t", "--ws-token-sha256", &digest]].concat();
        let text = "Error: `--ws-token-file` and `--ws-token-sha256` are mutually exclusive\n";
        assert_eq!(refusal(listen, &both), text);
    }
}

#[test]
fn what_clap_refuses_is_a_usage_error() {
    for (flags, text) in [
        (["--ws-auth", "basic"], "error: invalid value 'basic' for '--ws-auth <MODE>'"),
        (["--ws-auth", "basic"], "[possible values: capability-token, signed-bearer-token]"),
        (["--ws-max-clock-skew-seconds", "x"], "invalid digit found in string"),
        (["--ws-max-clock-skew-seconds", "-1"], "unexpected argument '-1'"),
    ] {
        let ended = run("ws://127.0.0.1:0", &flags);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert!(ended.stderr.contains(text), "{ended:?}");
    }
}

#[test]
fn a_file_must_hold_text_that_is_long_enough() {
    let home = Home::new();
    let path = home.join("secret");
    let shown = path.to_str().expect("text").to_owned();
    let refusal = |mode: [&str; 2], flag: &str| {
        let arguments = [&["--listen", "ws://127.0.0.1:0"], &mode[..], &[flag, &shown]].concat();
        let ended = Launch::at(&home).args(&arguments).run();
        assert_eq!(ended.code, Some(78), "{ended:?}");
        ended.stderr
    };
    let modes = [(CAPABILITY, "--ws-token-file"), (SIGNED, "--ws-shared-secret-file")];
    let private = |content: &[u8]| {
        fs::write(&path, content).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
    };
    let unreadable = |why: &str| format!("Error: failed to read websocket auth secret {shown}: {why}\n");
    for (mode, flag) in modes {
        assert_eq!(refusal(mode, flag), unreadable("No such file or directory (os error 2)"));
        fs::create_dir(&path).expect("a directory in its place");
        assert_eq!(refusal(mode, flag), unreadable("Is a directory (os error 21)"));
        fs::remove_dir(&path).expect("it is empty");
        for (content, fault) in [
            (&b"\xff\xfe\xfd"[..], "begins with a byte order mark; save it as plain text without one"),
            (b"\xef\xbb\xbfsecret", "begins with a byte order mark; save it as plain text without one"),
            (b"one secret\nand another", "has several lines; it must hold one secret and nothing else"),
            (b"not\xff ASCII", "holds other characters than visible ASCII ones"),
        ] {
            private(content);
            assert_eq!(refusal(mode, flag), format!("Error: websocket auth secret {shown} {fault}\n"));
        }
        private(b" \t\r\n");
        assert_eq!(refusal(mode, flag), format!("Error: websocket auth secret {shown} must not be empty\n"));
        fs::remove_file(&path).expect("it is ours");
    }
    secrets::file(&home, "secret", "thirty-one bytes are too short.");
    let text = format!("Error: signed websocket bearer secret {shown} must be at least 32 bytes\n");
    assert_eq!(refusal(SIGNED, "--ws-shared-secret-file"), text);
}

#[test]
fn files_are_read_only_where_clients_come_over_tcp() {
    let flags = [&CAPABILITY[..], &["--ws-token-file", "/nonexistent/token"]].concat();
    Server::stdio(Launch::new().args(&flags)).client();
    Server::unix(Launch::new().args(&flags)).client();
}

#[test]
fn a_relative_file_is_found_from_the_working_directory() {
    let home = Home::new();
    secrets::file(&home, "relative-token", "found next door");
    let server = Server::ws(Launch::at(&home).args(&CAPABILITY).args(&["--ws-token-file", "relative-token"]));
    server.client_with_token("found next door");
}

#[test]
fn a_file_that_others_can_read_is_warned_about() {
    let home = Home::new();
    let path = secrets::file(&home, "token", "an open secret");
    let launch = || {
        let launch = Launch::at(&home).args(&CAPABILITY);
        launch.args(&["--ws-token-file", path.to_str().expect("text")])
    };
    assert!(!Server::ws(launch()).process.stderr.text().contains("other users"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("the file is ours");
    let server = Server::ws(launch());
    let warning = format!("other users can read or change the secret in {}", path.display());
    assert!(server.process.stderr.text().contains(&warning));
}

#[test]
fn with_auth_a_server_may_be_reached_from_elsewhere() {
    let digest = sha256_hex("from far away");
    let flags = [&CAPABILITY[..], &["--ws-token-sha256", &digest]].concat();
    for url in ["ws://0.0.0.0:0", "ws://[::]:0"] {
        let server = Server::ws_at(Launch::new().args(&flags), url);
        let note = "note: websocket auth is required for non-localhost listeners\n";
        server.process.stderr.wait_for("the note", |text| text.contains(note).then_some(()));
        server.process.stderr.wait_for("the warning", |text| text.contains("unencrypted").then_some(()));
    }
}
