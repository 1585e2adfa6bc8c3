//! A unit of the user's systemd, with the control socket beside it.

use std::{
    os::unix::net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{
    ServiceError,
    files::{self, ServiceFile},
    programs::{ask, run},
};
use crate::listen::control_socket;

const SERVICE: &str = "codex-app-server.service";
const SOCKET: &str = "codex-app-server.socket";

/// The units, and what in them is decided by the machine.
const SERVICE_TEXT: &str = include_str!("../../config/systemd/user/codex-app-server.service");
const SOCKET_TEXT: &str = include_str!("../../config/systemd/user/codex-app-server.socket");
const PROGRAM: &str = "%h/.cargo/bin/codex-app-server";
const SOCKET_PATH: &str = "%h/.codex/app-server-control/app-server-control.sock";
const NEEDS_SOCKET: &str = "Requires=codex-app-server.socket\nAfter=codex-app-server.socket\n";
const ENVIRONMENT: &str = "Environment=LOG_FORMAT=json\n";

const HINT: &str =
    "is this system run by systemd? Otherwise let your supervisor run `codex-app-server --listen unix://`";

/// Writes the units, starts them, and says what was done.
pub fn install(codex_home: &Path) -> Result<String, ServiceError> {
    let program =
        std::env::current_exe().map_err(|error| ServiceError::File { path: "/proc/self/exe".into(), error })?;
    let units = units(&folder()?, &program, codex_home)?;
    // Nothing is written where there is nobody to read it.
    run("systemctl", &["--user", "daemon-reload"], HINT)?;
    files::write(&units)?;
    run("systemctl", &["--user", "daemon-reload"], HINT)?;
    let names = if units.len() > 1 { &[SOCKET, SERVICE][..] } else { &[SERVICE] };
    run("systemctl", &[&["--user", "enable", "--now"], names].concat(), HINT)?;
    let mut said = String::from("The server runs, and starts again whenever you sign in.\n");
    for unit in &units {
        said += &format!("  {}\n", crate::terminal::shown(&unit.path.to_string_lossy()));
    }
    if lingers() == Some(false) {
        said +=
            "It ends with your last session. `loginctl enable-linger` lets it run on, and start with the machine.\n";
    }
    Ok(said)
}

/// Ends the service, removes the units, and says what was done.
pub fn uninstall() -> Result<String, ServiceError> {
    let folder = folder()?;
    let paths = [SERVICE, SOCKET].map(|name| folder.join(name));
    if paths.iter().all(|path| !path.exists()) {
        return Ok("There is no service to remove.\n".to_owned());
    }
    run("systemctl", &["--user", "disable", "--now", SERVICE, SOCKET], HINT)?;
    let removed = files::remove(&paths)?;
    run("systemctl", &["--user", "daemon-reload"], HINT)?;
    let mut said = String::from("The server has ended, and its service was removed. The threads stay.\n");
    for path in removed {
        said += &format!("  {}\n", crate::terminal::shown(&path.to_string_lossy()));
    }
    Ok(said)
}

/// Shows what systemd says.
pub fn status() -> Result<(), ServiceError> {
    run("systemctl", &["--user", "status", "--no-pager", SERVICE, SOCKET], HINT)
}

/// Shows the log.
pub fn logs(follow: bool) -> Result<(), ServiceError> {
    let arguments = ["--user", "--unit", SERVICE, "--lines", "100", "--output", "cat", "--follow"];
    let most = if follow { arguments.len() } else { arguments.len() - 1 };
    run("journalctl", &arguments[..most], "is this system run by systemd?")
}

/// The service, and its socket where systemd can open that: a path that is too long for an address the server makes itself.
fn units(folder: &Path, program: &Path, codex_home: &Path) -> Result<Vec<ServiceFile>, ServiceError> {
    let home = format!("{ENVIRONMENT}Environment={}\n", quoted(&format!("CODEX_HOME={}", text(codex_home)?)));
    let service = SERVICE_TEXT.replace(PROGRAM, &quoted(text(program)?)).replace(ENVIRONMENT, &home);
    // A path takes the rest of its line.
    let socket = SOCKET_TEXT.replace(SOCKET_PATH, &text(&control_socket(codex_home))?.replace('%', "%%"));
    let unit = |name, text: String| ServiceFile { path: folder.join(name), text: files::mark("# ", "") + &text };
    if SocketAddr::from_pathname(control_socket(codex_home)).is_err() {
        return Ok(vec![unit(SERVICE, service.replace(NEEDS_SOCKET, ""))]);
    }
    Ok(vec![unit(SERVICE, service), unit(SOCKET, socket)])
}

fn text(path: &Path) -> Result<&str, ServiceError> {
    let named = path.to_str().filter(|path| !path.contains(['\n', '\r']));
    named.ok_or_else(|| ServiceError::Unnameable(path.to_owned()))
}

/// A word of a unit as systemd reads it: specifiers and quotes mean themselves. `$` does so in a program's path and in
/// `Environment=`.
fn quoted(word: &str) -> String {
    let word = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    format!("\"{word}\"")
}

fn folder() -> Result<PathBuf, ServiceError> {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let config = config.map_or_else(|| files::home().map(|home| home.join(".config")), Ok)?;
    Ok(config.join("systemd/user"))
}

/// Whether services of this user run without a session; `None` where nobody says.
fn lingers() -> Option<bool> {
    let user = rustix::process::geteuid().as_raw().to_string();
    let said = ask("loginctl", &["show-user", &user, "--property=Linger", "--value"])?;
    match said.trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_name_this_program_and_this_home() {
        let units = units(Path::new("/units"), Path::new("/opt/a b/100%"), Path::new("/home/me/$x")).unwrap();
        let [service, socket] = <[ServiceFile; 2]>::try_from(units).ok().unwrap();
        assert_eq!(service.path, Path::new("/units/codex-app-server.service"));
        assert!(service.text.contains("\nExecStart=\"/opt/a b/100%%\" --listen unix://\n"), "{}", service.text);
        assert!(service.text.contains("\nEnvironment=\"CODEX_HOME=/home/me/$x\"\n"), "{}", service.text);
        let path = "\nListenStream=/home/me/$x/app-server-control/app-server-control.sock\n";
        assert!(socket.text.contains(path), "{}", socket.text);
        for unit in [service, socket] {
            assert!(unit.text.starts_with("# Written by `codex-app-server service install`"), "{}", unit.text);
        }
    }

    #[test]
    fn a_socket_whose_path_is_too_long_is_left_to_the_server() {
        let home = format!("/home/{}", "x".repeat(120));
        let units = units(Path::new("/units"), Path::new("/bin/x"), Path::new(&home)).unwrap();
        assert_eq!(units.len(), 1);
        assert!(!units[0].text.contains("Requires="), "{}", units[0].text);
    }

    #[test]
    fn a_path_that_would_be_read_as_more_than_one_line_is_refused() {
        let refused = units(Path::new("/units"), Path::new("/bin/x\nExecStart=/bin/y"), Path::new("/home/me"));
        assert!(matches!(refused, Err(ServiceError::Unnameable(_))));
    }
}
