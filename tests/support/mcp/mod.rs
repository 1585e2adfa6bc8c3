//! MCP servers that behave as a test wants: as a program, which is the test binary itself, and over HTTP.

#![allow(dead_code, reason = "not every part of it is used by each binary that includes it")]

pub mod http;
mod server;

use std::env;
use std::io::{BufRead, Write};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

pub use server::Talk;

/// Tells the test binary to be a server, and how it is to behave.
const MODE: &str = "MCP_SERVER_OF_A_TEST";

/// What `config.toml` says of a server that is a program and behaves like this. More lines may follow, which then belong to
/// its table; `env` takes more variables.
pub fn program(name: &str, mode: &str) -> String {
    let binary = env::current_exe().expect("the test has a path");
    // It is this test that answers, quietly but for a line of the harness, as talkative servers have one.
    let arguments = r#"["-q", "--exact", "--nocapture", "mcp::be_a_server"]"#;
    format!(
        "[mcp_servers.{name}]\ncommand = {binary:?}\nargs = {arguments}\nenv.{MODE} = \"{mode}\"\n\
         startup_timeout_sec = 30\n"
    )
}

/// The same, below a shell that ignores SIGTERM, and with a child that goes on by itself. `marker` is on both command
/// lines.
pub fn stubborn_program(name: &str, marker: &str) -> String {
    let binary = env::current_exe().expect("the test has a path");
    let script = format!(
        "trap '' TERM; (exec sleep {marker}) & exec '{}' -q --exact --nocapture mcp::be_a_server {marker}",
        binary.display()
    );
    format!(
        "[mcp_servers.{name}]\ncommand = \"/bin/sh\"\nargs = [\"-c\", {script:?}]\nenv.{MODE} = \"\"\n\
         startup_timeout_sec = 30\n"
    )
}

/// Behaves as a server until the end of the input, if this process is one.
pub fn be_a_server() {
    let Ok(mode) = env::var(MODE) else { return };
    let mut talk = Talk::new(&mode);
    match mode.as_str() {
        "hang" => loop {
            thread::sleep(Duration::from_secs(3600));
        },
        "die" => {
            eprintln!("no licence was found");
            std::process::exit(3);
        }
        "garbage" => {
            for number in 0_u64.. {
                say(&format!("line {number}\n"));
            }
        }
        "endless" => loop {
            say(&"x".repeat(1 << 16));
        },
        _ => {}
    }
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let message: Value = serde_json::from_str(&line).expect("a message is JSON");
        for answer in talk.hear(&message) {
            say(&format!("{answer}\n"));
        }
    }
    // Nothing of the harness is to follow.
    std::process::exit(0);
}

fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
        std::process::exit(1);
    }
}

/// An answer to a question of a server.
pub fn elicited(action: &str, content: Value) -> Value {
    json!({"action": action, "content": content})
}
