//! The load: processes of their own, so that what they take is not taken from the server's account, and so that one of
//! them can be killed like a crowd that vanishes.
//!
//! A scenario starts one with a [`Job`] and reads what it reports, a line of JSON at a time.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Result;

pub mod churn;
pub mod flood;
pub mod gathering;
pub mod paced;

/// What clients are there for.
#[derive(Serialize, Deserialize)]
pub enum Job {
    Paced(paced::Paced),
    Flood(flood::Flood),
    Gathering(gathering::Gathering),
    Churn(churn::Churn),
}

/// Does what `job` says, in the process of the clients.
pub fn play(job: &str) -> Result<()> {
    crate::process::raise_descriptor_limit();
    match serde_json::from_str(job)? {
        Job::Paced(job) => tell(&job.run()?),
        Job::Flood(job) => job.run(),
        Job::Gathering(job) => job.run(),
        Job::Churn(job) => tell(&job.run()?),
    }
}

/// Reports to the scenario.
fn tell(report: &impl Serialize) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(report)?)?;
    Ok(stdout.flush()?)
}

/// A close frame of a client.
fn goodbye(code: u16) -> Vec<u8> {
    let [high, low] = code.to_be_bytes();
    vec![0x88, 0x82, 0, 0, 0, 0, high, low]
}

/// A process of clients; killed when dropped.
pub struct Clients {
    process: Child,
    reports: Lines<BufReader<ChildStdout>>,
}

impl Clients {
    /// Starts them.
    pub fn start(job: &Job) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--clients", &serde_json::to_string(job)?])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let reports = BufReader::new(process.stdout.take().ok_or("no pipe")?).lines();
        Ok(Self { process, reports })
    }

    /// Waits for their next report. They give up by themselves when the server does not answer.
    pub fn report<T: DeserializeOwned>(&mut self) -> Result<T> {
        let line = self.reports.next().ok_or("the clients gave up, see above")??;
        Ok(serde_json::from_str(&line)?)
    }

    /// Ends them as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        // Fails only when they have ended already.
        let _ = self.kill();
    }
}
