//! Runs the programs of a service manager, which say on the terminal themselves what goes wrong.

use std::process::{Command, Output, Stdio};

use super::ServiceError;

/// Runs `program` with `arguments` to its end.
///
/// # Errors
/// It cannot be started, or fails.
pub fn run(program: &'static str, arguments: &[&str], hint: &'static str) -> Result<(), ServiceError> {
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).status();
    let status = status.map_err(|error| ServiceError::NoManager { program, error, hint })?;
    if status.success() {
        return Ok(());
    }
    Err(ServiceError::Refused { command: format!("{program} {}", arguments.join(" ")), status, hint })
}

/// What `program` prints; `None` if it cannot be started or fails.
pub fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let asked = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let Output { stdout, status, .. } = asked.ok()?;
    status.success().then(|| String::from_utf8_lossy(&stdout).into_owned())
}
