//! Warnings about the sandbox of this machine, sent to clients when they connect.

use std::path::PathBuf;
use std::time::Duration;

use command_launcher::Launcher;
use tokio::time::timeout;

use crate::command::{LaunchError, NotRun, probe};
use crate::protocol::config::ConfigWarning;

/// How long the first client's warnings may wait for the test of the sandbox.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tests the sandbox. Returns no warnings if all its layers work. Changes nothing.
pub async fn sandbox_warnings(launcher: Option<Launcher>, home: PathBuf) -> Vec<ConfigWarning> {
    let Some(launcher) = launcher else { return vec![warning(&NotRun::NoLauncher.to_string(), None)] };
    let tried = timeout(PATIENCE, probe(&launcher, home)).await;
    match tried.unwrap_or(Err(LaunchError::Lost)) {
        Ok(gaps) if gaps.is_empty() => Vec::new(),
        Ok(gaps) => vec![warning("This machine lacks a layer of the sandbox for commands.", Some(gaps.join("; ")))],
        Err(LaunchError::NotConfined(reason)) => {
            let summary = "Commands cannot be confined on this machine: only those that ask for dangerFullAccess or \
                           externalSandbox are run.";
            vec![warning(summary, Some(reason))]
        }
        Err(error) => {
            let summary = "It could not be determined whether commands can be confined on this machine.";
            vec![warning(summary, Some(error.to_string()))]
        }
    }
}

fn warning(summary: &str, details: Option<String>) -> ConfigWarning {
    ConfigWarning { summary: summary.to_owned(), details, path: None, range: None }
}
