//! What the command line accepts, and how it rejects the rest (spec: local transports 1).

use std::net::TcpListener;

use crate::support::home::Home;
use crate::support::process::{Ended, Launch};
use crate::support::server::Server;

fn run(arguments: &[&str]) -> Ended {
    Launch::new().args(arguments).run()
}

fn usage_error(url: &str, text: &str) -> String {
    format!("error: invalid value '{url}' for '--listen <URL>': {text}\n\nFor more information, try '--help'.\n")
}

#[test]
fn a_listen_url_that_is_none_is_a_usage_error() {
    let urls = [
        "wss://127.0.0.1:0",
        "http://127.0.0.1:0",
        "garbage",
        "",
        "STDIO://",
        "stdio",
        "stdio://x",
        "unix:",
        "unix",
        "off://",
        "OFF",
        "tcp://127.0.0.1:0",
        " stdio://",
        "WS://127.0.0.1:0",
    ];
    for url in urls {
        let ended = run(&["--listen", url]);
        let text = format!(
            "unsupported --listen URL `{url}`; expected `stdio://`, `unix://`, `unix://PATH`, `ws://IP:PORT`, or `off`"
        );
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{url}: {ended:?}");
        assert_eq!(ended.stderr, usage_error(url, &text));
    }
}

#[test]
fn a_websocket_url_needs_an_address_and_a_port_and_nothing_else() {
    let urls = [
        "ws://localhost:0",
        "ws://127.0.0.1",
        "ws://127.0.0.1:0/",
        "ws://",
        "ws://127.0.0.1:99999",
        "ws://::1:0",
        "ws://127.0.0.1:",
        "ws://:0",
        "ws://127.0.0.1:0/rpc",
    ];
    for url in urls {
        let ended = run(&["--listen", url]);
        let text = format!("invalid websocket --listen URL `{url}`; expected `ws://IP:PORT`");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{url}: {ended:?}");
        assert_eq!(ended.stderr, usage_error(url, &text));
    }
}

#[test]
fn a_home_that_is_not_there_is_named() {
    let missing = Home::new().join("missing");
    let missing = missing.to_str().expect("text");
    let ended = Launch::new().env("CODEX_HOME", missing).args(&["--listen", "unix://"]).run();
    let reason =
        format!("failed to resolve CODEX_HOME: CODEX_HOME points to {missing:?}, but that path does not exist");
    let text = format!("invalid unix socket --listen URL `unix://`; failed to resolve socket path: {reason}");
    assert_eq!((ended.code, ended.stderr), (Some(2), usage_error("unix://", &text)));

    let ended = Launch::new().env("CODEX_HOME", missing).run();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(ended.stderr.starts_with("Error: ") && ended.stderr.contains(&reason), "{ended:?}");
}

#[test]
fn a_server_that_nobody_could_reach_does_not_start() {
    let ended = run(&["--listen", "off"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    let text = "Error: no transport configured: with `--listen off` clients could come by remote control only; add \
                --remote-control, or choose another --listen\n";
    assert_eq!(ended.stderr, text);
}

#[test]
fn an_address_that_others_can_reach_needs_authentication() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:4500"] {
        let ended = run(&["--listen", &format!("ws://{address}")]);
        let text = format!(
            "Error: refusing to start non-loopback websocket listener {address} without auth; configure \
             `--ws-auth capability-token` or `--ws-auth signed-bearer-token`\n"
        );
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr), (Some(2), "", text));
    }
}

#[test]
fn every_loopback_address_is_fine() {
    for address in ["127.0.0.2:0", "[::1]:0"] {
        // A machine may have no IPv6.
        if TcpListener::bind(address).is_ok() {
            Server::ws_at(Launch::new(), &format!("ws://{address}")).client();
        }
    }
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let server = Server::ws(Launch::new());
    let ended = run(&["--listen", &format!("ws://{}", server.tcp_address())]);
    assert_eq!(ended.code, Some(75), "the port may become free");
    assert!(ended.stderr.starts_with("Error: Address already in use (os error 98)"), "{ended:?}");
}

#[test]
fn stdio_is_another_word_for_its_url_and_goes_with_no_other() {
    Server::stdio(Launch::new().arg("--stdio")).client();
    Server::stdio(Launch::new().args(&["--listen", "stdio://"])).client();
    let ended = run(&["--stdio", "--listen", "stdio://"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("the argument '--stdio' cannot be used with '--listen <URL>'"), "{ended:?}");
}

#[test]
fn it_can_be_spawned_wherever_a_client_spawns_codex() {
    for line in [
        "app-server",
        "app-server --listen stdio://",
        "-c model=o3 app-server --stdio",
        "--config model=o3 app-server --listen stdio:// --analytics-default-enabled",
        "app-server --managed-daemon --session-source vscode",
        "--enable goals app-server --disable apps --stdio",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        Server::stdio(Launch::new().args(&words)).client();
    }
    for line in ["app-server --help", "app-server --managed-daemon --help", "--help"] {
        let ended = run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(ended.code, Some(0), "{line}");
        assert!(ended.stdout.contains("--listen <URL>"), "{ended:?}");
    }
}

#[test]
fn the_version_names_the_level_it_speaks() {
    let ended = run(&["--version"]);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains(version) && ended.stdout.contains("0.171.0"), "{ended:?}");
    assert_eq!(run(&["app-server", "--version"]).stdout, "codex-cli 0.171.0\n");
}

#[test]
fn shells_complete_and_man_explains_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = run(&["completions", shell]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        for word in ["codex-app-server", "proxy", "watch", "doctor"] {
            assert!(ended.stdout.contains(word), "{shell}: {word}");
        }
    }
    let page = run(&["man"]);
    assert!(page.code == Some(0) && page.stdout.contains(".TH codex-app-server 1"), "{page:?}");
    for command in ["config", "proxy", "call", "watch", "threads", "rename", "archive", "doctor"] {
        assert!(page.stdout.contains(command), "{command}");
        let its = run(&["man", command]);
        assert!(its.code == Some(0) && its.stdout.contains(".SH SYNOPSIS"), "{its:?}");
    }
    for command in [&["remote-control", "pair"][..], &["remote-control", "clients"], &["chat"], &["status"]] {
        let page = run(&[&["man"], command].concat());
        let name = format!(".TH codex-app-server-{} 1", command.join("-"));
        assert!(page.code == Some(0) && page.stdout.contains(&name), "{page:?}");
        for section in ["FILES", "ENVIRONMENT", "SIGNALS", "EXIT STATUS"] {
            assert!(page.stdout.contains(&format!(".SH {section}\n")), "{command:?}: {section}");
        }
    }
    for words in [&["no-such"][..], &["watch", "pair"], &["remote-control", "no-such"]] {
        let ended = run(&[&["man"], words].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
    }
    assert_eq!(run(&["completions", "no-such"]).code, Some(2));
}

#[test]
fn bash_completes_what_stands_behind_a_subcommand() {
    let complete = r#"
        eval "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _codex__app__server codex-app-server "${@: -1}" "${@: -2:1}"
        printf '%s ' "${COMPREPLY[@]}"
    "#;
    let script = run(&["completions", "bash"]).stdout;
    for (words, expected) in [
        (&["upgr"][..], "upgrade "),
        (&["relay", "tok"], "token "),
        (&["relay", "token", "rem"], "remove "),
        (&["remote-control", "pair", "--no-w"], "--no-wait "),
    ] {
        let mut bash = std::process::Command::new("bash");
        let ended = bash.args(["-c", complete, "bash", &script, "codex-app-server"]).args(words).output();
        let ended = ended.expect("bash is there");
        assert_eq!(String::from_utf8_lossy(&ended.stdout), expected, "{words:?}: {ended:?}");
    }
}

#[test]
fn unknown_words_are_usage_errors() {
    for words in [["--bogus"], ["extra"]] {
        let ended = run(&words);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert!(ended.stderr.starts_with("error: "), "{ended:?}");
    }
}

#[test]
fn a_closed_stdin_ends_stdio_but_no_listener() {
    assert_eq!(run(&[]).code, Some(0));
    let mut server = Server::ws(Launch::new());
    drop(server.process.stdin.take());
    server.client();
    assert!(server.process.is_running());
}
