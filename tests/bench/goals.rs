//! `cargo bench`: how fast the server is, beside what this machine could do at best.
//!
//! Absolute times say little on a shared machine, so nothing is compared with a number from another day. Every figure
//! is taken in the same run from up to three contestants, in turns so short that a disturbance hits all of them (see
//! [`plan`]): the server; a bare actix-web-actors server that only echoes ([`echo`]); and two processes that pass bytes
//! through a bare socket or pipe ([`floor`]). A goal names a limit, a multiple of a contestant, or both. Where
//! something else does the same work (a shell that runs the command, `socat` for the proxy), that is the floor, and the
//! name of the figure says so.
//!
//! Each contestant is a process of its own; the load comes from one thread of this process, through a client
//! that does nothing but frame and count ([`client`], [`crowd`]).
//!
//! ```text
//! cargo bench                                  everything, about seven minutes
//! cargo bench -- --quick                       everything, shorter
//! cargo bench -- --only round-trip --rounds 3  one case
//! cargo bench -- --server /path/to/codex       the same figures for another program with this command line
//! ```
//!
//! The table goes to stdout, and to `bench/goals.json` and `bench/goals.svg` in the target directory.

#![allow(clippy::disallowed_methods, reason = "tests know what they open")]

mod backend;
mod cases;
mod client;
mod crowd;
mod echo;
mod floor;
mod frame;
mod model;
mod plan;
mod process;
mod report;
mod usage;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use crate::plan::Plan;
use crate::process::Launcher;
use crate::report::Report;

/// Whatever goes wrong ends a case with its text: a figure taken around an error is no figure.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Measures the server beside a bare echo and a bare socket.
#[derive(Parser)]
struct Arguments {
    /// Run only the cases whose name contains this; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Rounds to take the median of
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Fewer samples a round: about two minutes, and less to be relied on
    #[arg(long)]
    quick: bool,
    /// The program to measure instead of this package's own
    #[arg(long, value_name = "PROGRAM", default_value = env!("CARGO_BIN_EXE_codex-app-server"))]
    server: PathBuf,
    /// What cargo passes to a benchmark; without it (`cargo test --all-targets`) the run is a quick one
    #[arg(long, hide = true)]
    bench: bool,
    /// Be one of the contestants instead of measuring them
    #[arg(long, hide = true, num_args = 2, value_names = ["ROLE", "ADDRESS"])]
    serve: Option<Vec<String>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.serve.as_deref() {
        Some([role, address]) => serve(role, address),
        _ => measure(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays `role` at `address` until it is killed or its input ends.
fn serve(role: &str, address: &str) -> Result<()> {
    match role {
        "echo" => echo::serve(address),
        "floor" => floor::serve(address),
        _ => Err(format!("no such role: {role}").into()),
    }
}

/// Runs the chosen cases and writes the report.
fn measure(arguments: &Arguments) -> Result<()> {
    process::raise_descriptor_limit();
    let quick = arguments.quick || !arguments.bench;
    let launcher = Launcher::new(arguments.server.clone())?;
    let plan = Plan::new(launcher, arguments.rounds, quick);
    let mut report = Report::new(&arguments.server, &plan);
    for (name, case) in cases::chosen(&arguments.only)? {
        eprintln!("measuring {name}");
        report.add(name, case(&plan));
    }
    report.finish();
    report.print(&mut std::io::stdout().lock())?;
    report.save(&Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench"))?;
    report.verdict()
}
