//! The TCP listener for WebSocket clients, and its start-up message.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use super::other_users;
use crate::logging;

/// Connections that may wait for the server; the system may allow fewer (`net.core.somaxconn`).
const BACKLOG: i32 = 1024;

/// Why a TCP address cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TcpError {
    /// Anybody who can reach the address could use the agent. The text is the reference program's.
    #[error(
        "refusing to start non-loopback websocket listener {0} without auth; configure `--ws-auth capability-token` or \
         `--ws-auth signed-bearer-token`"
    )]
    OpenToOthers(SocketAddr),
    /// The system refused.
    #[error("{error}: ws://{address}")]
    Io {
        /// The error of the operating system.
        error: io::Error,
        /// The address.
        address: SocketAddr,
    },
}

/// Binds `address`. An address that other machines may reach (including `0.0.0.0`, `::` and IPv4-mapped ones) requires
/// `authenticated`.
pub fn bind(address: SocketAddr, authenticated: bool) -> Result<TcpListener, TcpError> {
    check(address, authenticated)?;
    let failed = |error| TcpError::Io { error, address };
    let listener = TcpListener::bind(address).map_err(failed)?;
    // The library's own queue is short. Who does not fit waits for seconds between tries while a server hands over.
    rustix::net::listen(&listener, BACKLOG).map_err(|error| failed(error.into()))?;
    Ok(listener)
}

/// The same rule for a socket that is bound already.
pub fn check(address: SocketAddr, authenticated: bool) -> Result<(), TcpError> {
    if !authenticated && !address.ip().is_loopback() {
        return Err(TcpError::OpenToOthers(address));
    }
    Ok(())
}

/// Prints the address of `listener` with its real port on stderr. Clients look for the `ws://` in it. A closed stderr
/// is no error.
///
/// If clients are not `authenticated` and the machine has other users, a warning is logged.
pub fn announce(listener: &TcpListener, authenticated: bool) {
    match listener.local_addr() {
        Ok(address) => logging::say(
            &format!("listening on ws://{address}"),
            &banner(address, authenticated, logging::is_coloured()),
        ),
        Err(error) => log::warn!("cannot print the address of the listener: {error}"),
    }
    if !authenticated && let Some(other) = other_users::first() {
        log::warn!("{other}, and every other user of this machine, can use this server with your rights; {ADD_AUTH}");
    }
}

/// How to keep the machine's other users out.
const ADD_AUTH: &str = "add --ws-auth capability-token --ws-token-file PATH";

fn banner(address: SocketAddr, authenticated: bool, colour: bool) -> String {
    let (bold, cyan, plain) = if colour { ("\x1b[1m", "\x1b[36m", "\x1b[0m") } else { ("", "", "") };
    let note = match (address.ip().is_loopback(), authenticated) {
        (true, true) => "note: binds localhost only (use SSH port-forwarding for remote access)".to_owned(),
        (true, false) => format!(
            "note: binds localhost only (use SSH port-forwarding for remote access)\n  \
             warning: every user of this machine can use this server with your rights; {ADD_AUTH}"
        ),
        (false, _) => "note: websocket auth is required for non-localhost listeners\n  \
                       warning: tokens cross the network unencrypted; put a proxy with TLS in front of this address"
            .to_owned(),
    };
    format!(
        "{bold}codex app-server (WebSockets){plain}\n  \
           listening on: {cyan}ws://{address}{plain}\n  \
           readyz: {cyan}http://{address}/readyz{plain}\n  \
           healthz: {cyan}http://{address}/healthz{plain}\n  \
           {note}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_is_the_references() {
        assert_eq!(
            banner("127.0.0.1:46129".parse().unwrap(), true, false),
            "codex app-server (WebSockets)\n\
             \x20 listening on: ws://127.0.0.1:46129\n\
             \x20 readyz: http://127.0.0.1:46129/readyz\n\
             \x20 healthz: http://127.0.0.1:46129/healthz\n\
             \x20 note: binds localhost only (use SSH port-forwarding for remote access)\n"
        );
        assert!(banner("[::1]:1".parse().unwrap(), true, true).contains("ws://[::1]:1\x1b[0m\n"));
    }

    #[test]
    fn a_listener_that_others_reach_says_what_that_means() {
        let text = banner("0.0.0.0:4500".parse().unwrap(), true, false);
        assert!(text.contains("\n  note: websocket auth is required for non-localhost listeners\n"), "{text}");
        assert!(text.ends_with("in front of this address\n") && text.contains("  warning: tokens cross"), "{text}");
    }

    #[test]
    fn a_listener_without_auth_says_who_may_use_it() {
        let text = banner("127.0.0.1:4500".parse().unwrap(), false, false);
        let warning = "  warning: every user of this machine can use this server with your rights; add --ws-auth \
                       capability-token --ws-token-file PATH\n";
        assert!(text.ends_with(warning), "{text}");
    }

    #[test]
    fn only_loopback_is_served_without_auth() {
        for open in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:127.0.0.1]:0"] {
            assert_eq!(
                bind(open.parse().unwrap(), false).unwrap_err().to_string(),
                format!(
                    "refusing to start non-loopback websocket listener {open} without auth; configure `--ws-auth \
                     capability-token` or `--ws-auth signed-bearer-token`"
                )
            );
        }
        bind("127.0.0.2:0".parse().unwrap(), false).unwrap();
        bind("0.0.0.0:0".parse().unwrap(), true).unwrap();
    }

    #[test]
    fn a_taken_port_is_named() {
        let taken = bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
        let address = taken.local_addr().unwrap();
        let text = bind(address, false).unwrap_err().to_string();
        assert!(
            text.starts_with("Address already in use (os error ") && text.ends_with(&format!("ws://{address}")),
            "{text}"
        );
    }
}
