//! An agent of the user's launchd.

use std::path::{Path, PathBuf};

use super::{
    ServiceError,
    files::{self, ServiceFile},
    programs::run,
};

const LABEL: &str = "codex-app-server";

/// The agent, and what in it is decided by the machine.
const TEXT: &str = include_str!("../../config/launchd/codex-app-server.plist");
const PROGRAM: &str = "/usr/local/bin/codex-app-server";
const DICTIONARY: &str = "<dict>\n";

const HINT: &str = "run it by hand: `codex-app-server --listen unix://`";

/// Writes the agent, starts it, and says what was done.
pub fn install(codex_home: &Path) -> Result<String, ServiceError> {
    let program = std::env::current_exe().map_err(|error| ServiceError::File { path: PROGRAM.into(), error })?;
    let file = agent(path()?, &program, codex_home)?;
    let path = file.path.clone();
    files::write(&[file])?;
    let domain = domain();
    let name = path.to_string_lossy().into_owned();
    run("launchctl", &["bootstrap", &domain, &name], HINT)?;
    Ok(format!("The server runs, and starts again whenever you sign in.\n  {}\n", crate::terminal::shown(&name)))
}

/// Ends the agent, removes its file, and says what was done.
pub fn uninstall() -> Result<String, ServiceError> {
    let path = path()?;
    if !path.exists() {
        return Ok("There is no service to remove.\n".to_owned());
    }
    run("launchctl", &["bootout", &target()], HINT)?;
    files::remove(&[path])?;
    Ok("The server has ended, and its service was removed. The threads stay.\n".to_owned())
}

/// Shows what launchd says.
pub fn status() -> Result<(), ServiceError> {
    run("launchctl", &["print", &target()], HINT)
}

/// Shows the log.
pub fn logs(follow: bool) -> Result<(), ServiceError> {
    let log = log_file()?.to_string_lossy().into_owned();
    let arguments: &[&str] = if follow { &["-n", "100", "-F", &log] } else { &["-n", "100", &log] };
    run("tail", arguments, HINT)
}

fn agent(path: PathBuf, program: &Path, codex_home: &Path) -> Result<ServiceFile, ServiceError> {
    let more = format!(
        "{DICTIONARY}    <key>EnvironmentVariables</key>\n    <dict>\n        <key>CODEX_HOME</key>\n        \
         <string>{}</string>\n    </dict>\n    <key>StandardErrorPath</key>\n    <string>{}</string>\n",
        escaped(codex_home)?,
        escaped(&log_file()?)?
    );
    let text = TEXT.replace(PROGRAM, &escaped(program)?).replacen(DICTIONARY, &more, 1);
    // The first line must stay the first.
    let (declaration, rest) = text.split_once('\n').unwrap_or(("", &text));
    let text = format!("{declaration}\n{}{rest}", files::mark("<!-- ", " -->"));
    Ok(ServiceFile { path, text })
}

fn escaped(path: &Path) -> Result<String, ServiceError> {
    let text = path.to_str().filter(|path| !path.contains(['\n', '\r']));
    let text = text.ok_or_else(|| ServiceError::Unnameable(path.to_owned()))?;
    Ok(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

fn path() -> Result<PathBuf, ServiceError> {
    Ok(files::home()?.join("Library/LaunchAgents/codex-app-server.plist"))
}

fn log_file() -> Result<PathBuf, ServiceError> {
    Ok(files::home()?.join("Library/Logs/codex-app-server.log"))
}

fn domain() -> String {
    format!("gui/{}", rustix::process::geteuid().as_raw())
}

fn target() -> String {
    format!("{}/{LABEL}", domain())
}
