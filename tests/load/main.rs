//! The heavy runs: nobody starves, nothing is lost, nothing grows.
//!
//! ```text
//! cargo test --release --test load -- --run                  every scenario, about ten minutes
//! cargo test --release --test load -- --run fairness idle    some of them
//! ```
//!
//! Each scenario runs the real binary and loads it from processes of their own ([`clients`]). Arrivals keep a fixed
//! schedule, and a latency counts from when its request was due, not from when it could be sent: a stall delays every
//! request that falls into it, and each of them says so. That the clients are quicker than the server is itself
//! measured, by the scenario `tool`, against the bare echo of the benchmark.
//!
//! Without `--run` nothing runs: `cargo test` only builds this, and `tests/promises` keeps the same promises in small.
//! The table goes to stdout, and to `bench/load.json` in the target directory.

#![allow(clippy::expect_used, reason = "a scenario fails by panicking, in the helpers of the promises too")]
#![allow(clippy::disallowed_methods, reason = "tests know what they open")]

#[expect(dead_code, reason = "the benchmark uses the rest")]
#[path = "../bench/client.rs"]
mod client;
#[expect(dead_code, reason = "the benchmark uses the rest")]
#[path = "../bench/crowd.rs"]
mod crowd;
#[path = "../bench/echo.rs"]
mod echo;
#[expect(dead_code, reason = "the benchmark uses the rest")]
#[path = "../bench/frame.rs"]
mod frame;
#[path = "../bench/report/machine.rs"]
mod machine;
#[expect(dead_code, reason = "the benchmark uses the rest")]
#[path = "../bench/plan.rs"]
mod plan;
#[expect(dead_code, reason = "the benchmark uses the rest")]
#[path = "../bench/process.rs"]
mod process;
#[expect(dead_code, reason = "the promises use the rest")]
#[path = "../support/mod.rs"]
mod support;
#[expect(dead_code, reason = "the benchmark uses the rest")]
#[path = "../bench/usage.rs"]
mod usage;

mod clients;
mod gauges;
mod report;
mod scenarios;
mod served;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::report::Report;

/// Whatever goes wrong ends a scenario with its text.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Loads the server until it would show.
#[derive(Parser)]
struct Arguments {
    /// Run the scenarios whose name contains one of these; without a name all
    #[arg(long, value_name = "SCENARIO", num_args = 0..)]
    run: Option<Vec<String>>,
    /// A tenth of everything: to see that the scenarios work, not what they show
    #[arg(long)]
    brief: bool,
    /// For how long nobody reads stdout in the scenario of that name
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    unread_seconds: u64,
    /// Serve as the bare echo at an address
    #[arg(long, hide = true, num_args = 2, value_names = ["ROLE", "ADDRESS"])]
    serve: Option<Vec<String>>,
    /// Be clients that do this job
    #[arg(long, hide = true, value_name = "JSON")]
    clients: Option<String>,
}

/// How much of everything.
pub struct Size {
    brief: bool,
    /// See [`Arguments::unread_seconds`].
    pub unread: Duration,
}

impl Size {
    /// `full`, or a tenth of it.
    pub fn of(&self, full: usize) -> usize {
        if self.brief { full.div_ceil(10) } else { full }
    }
}

fn main() -> ExitCode {
    // `cargo test` hands its filters and options to every test; none of them is meant for this one.
    let is_meant = |argument: &str| ["--run", "--serve", "--clients", "--help"].contains(&argument);
    if !std::env::args().any(|argument| is_meant(&argument)) {
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::parse();
    let outcome = match (&arguments.serve, &arguments.clients) {
        (Some(words), _) => echo::serve(&words[1]),
        (None, Some(job)) => clients::play(job),
        (None, None) => run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let unread = Duration::from_secs(if arguments.brief { 5 } else { arguments.unread_seconds });
    let size = Size { brief: arguments.brief, unread };
    let mut report = Report::new(arguments.brief);
    for (name, scenario) in scenarios::chosen(arguments.run.as_deref().unwrap_or_default())? {
        eprintln!("running {name}");
        // The helpers of the promises panic when one is broken.
        let outcome = catch_unwind(AssertUnwindSafe(|| scenario(&size)));
        report.add(name, outcome.unwrap_or_else(|_| Err("it panicked, see above".into())));
    }
    report.finish();
    report.print(&mut std::io::stdout().lock())?;
    report.save()?;
    report.verdict()
}
