//! Checks of the system and of the running server.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use app_server_actors::{
    commands::sandbox_warnings,
    limits::Limits,
    protocol::{API_VERSION, config::ConfigWarning},
};
use command_launcher::Launcher;
use rustix::process::{Resource, getrlimit};

use super::Finding;
use crate::{
    attach::{AttachError, Client, ClientError, Endpoint, how_to_start, protocol_level},
    cli::Arguments,
    http::Capacity,
    listen::{ListenUrl, control_socket},
    settings::Settings,
};

/// The client name sent to the server.
const NAME: &str = "codex-app-server-doctor";

/// Number of clients that every machine should be able to serve.
const FEW_CLIENTS: usize = 500;

/// This program itself.
pub(super) fn program() -> Finding {
    let path = std::env::current_exe().map_or_else(|_| String::new(), |path| format!(", {}", path.display()));
    let version = env!("CARGO_PKG_VERSION");
    Finding::ok("program", format!("{version}, speaks the protocol of codex app-server {API_VERSION}{path}"))
}

/// Whether the commands of agents could be confined by a server that was started like this program.
pub(super) async fn commands(home: &Path) -> Finding {
    let warnings = sandbox_warnings(Launcher::this_program(), home.to_owned()).await;
    let Some(ConfigWarning { summary, details, .. }) = warnings.into_iter().next() else {
        return Finding::ok("commands", "can be confined here");
    };
    let text = format!("{summary} {}", details.unwrap_or_default());
    Finding::warning(
        "commands",
        text.trim_end(),
        "What confinement needs stands in config/README.md, for containers, too.",
    )
}

pub(super) fn open_files(settings: &Settings) -> Finding {
    let limit = getrlimit(Resource::Nofile);
    let usable = if settings.startup.raise_open_files { limit.maximum } else { limit.current };
    let Some(files) = usable else { return Finding::ok("files", "any number of open files") };
    let capacity = Capacity::with_files(&settings.http, Some(usize::try_from(files).unwrap_or(usize::MAX)));
    let clients = capacity.connections;
    if clients < FEW_CLIENTS.min(settings.http.max_connections) {
        let text = format!("{files} open files allow {clients} clients");
        return Finding::warning("files", text, "Raise the limit: `ulimit -n`, or LimitNOFILE= of the systemd unit.");
    }
    Finding::ok("files", format!("{files} open files, for {clients} clients"))
}

/// Warns of each listener at which other users than its own could connect to a server with these arguments.
pub(super) fn doors(arguments: &Arguments) -> impl Iterator<Item = Finding> {
    let without_auth = arguments.listen.iter().filter(|_| arguments.auth.ws_auth.is_none());
    without_auth.filter(|url| matches!(url, ListenUrl::WebSocket(_))).map(|url| {
        let text = format!("every user of this machine could use a server at {url} with your rights");
        Finding::warning("listener", text, "Add --ws-auth capability-token --ws-token-file PATH.")
    })
}

/// The sockets of a server with these arguments; the control socket if they name none.
pub(super) fn sockets(arguments: &Arguments, home: &Path) -> Vec<PathBuf> {
    let named = arguments.listen.iter().filter_map(|url| match url {
        ListenUrl::Unix(path) => Some(path.clone()),
        _ => None,
    });
    let named: Vec<_> = named.collect();
    if named.is_empty() { vec![control_socket(home)] } else { named }
}

/// Checks the socket and the server behind it.
pub(super) async fn server(path: &Path, limits: &Limits) -> Vec<Finding> {
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let none = Finding { advice: Some(how_to_start(path)), ..Finding::ok("server", "not running") };
            return vec![Finding::ok("socket", "there is none, because no server is running"), none];
        }
        Err(error) => return vec![Finding::error("socket", format!("{shown}: {error}"), "Make it reachable for you.")],
        Ok(metadata) => metadata,
    };
    if !metadata.file_type().is_socket() {
        return vec![Finding::error("socket", format!("{shown} is not a socket"), "Move it away.")];
    }
    let socket = if metadata.mode() & 0o077 == 0 {
        Finding::ok("socket", format!("{shown}, for you alone"))
    } else {
        Finding::warning("socket", format!("other users can reach {shown}"), format!("chmod 600 {shown}"))
    };
    let server = match Client::connect_now(&Endpoint::Unix(path.to_owned()), NAME, limits).await {
        Ok((client, server)) => {
            client.close().await;
            running(&server.user_agent)
        }
        Err(ClientError::Attach(AttachError::Unreachable { error, .. }))
            if error.kind() == io::ErrorKind::ConnectionRefused =>
        {
            let text = "not running; the last server was killed and left its socket";
            Finding::warning("server", text, format!("The next start removes it. {}", how_to_start(path)))
        }
        Err(ClientError::Attach(AttachError::Full)) => {
            let advice = "Close some clients, or raise http.max_connections and the limit of open files.";
            Finding::warning("server", "running, but full: it accepts no more clients", advice)
        }
        Err(ClientError::Attach(error @ AttachError::Silent { .. })) => {
            let advice = "Clients wait for it until then; a supervisor may restart it.";
            Finding::error("server", format!("running, but {error}"), advice)
        }
        Err(error) => {
            Finding::error("server", error.to_string(), "End the program that listens there, and start a server.")
        }
    };
    vec![socket, server]
}

fn running(user_agent: &str) -> Finding {
    match protocol_level(user_agent) {
        Some(version) if version == API_VERSION => Finding::ok("server", format!("running, version {version}")),
        Some(version) => {
            let text = format!("running, version {version}, while this program speaks {API_VERSION}");
            Finding::warning("server", text, "Restart it with this program, unless the other version is intended.")
        }
        None => Finding::warning(
            "server",
            format!("running, but an unknown program: {user_agent}"),
            "Check which program it is.",
        ),
    }
}
