//! The subcommand `remote-control` and its actions.

use std::path::PathBuf;

use app_server_actors::protocol::scope::Scopes;
use clap::{Args, Subcommand};

use super::ServerChoice;

/// `remote-control`, alone or with an action.
#[derive(Debug, Args)]
pub struct RemoteControlArguments {
    /// Action on a running server; without one this machine stays available until Ctrl-C.
    #[command(subcommand)]
    pub action: Option<RemoteControlAction>,

    /// Prints one JSON object per line instead of text.
    #[arg(long, global = true)]
    pub json: bool,

    /// Uses this relay from now on, instead of the vendor's backend: `https://HOST`, or `local` for one in this process.
    ///
    /// Needs no sign-in. It is written into app-server.toml, with the token's file; `off` removes both.
    #[arg(long, value_name = "URL")]
    pub relay: Option<String>,

    /// With `--relay local`: encrypts the way to the phone with a certificate that this machine makes for itself.
    ///
    /// The phone's browser warns once, and its user compares the fingerprint. Browsers on iPhones load the page then, but
    /// refuse its connection; without this option they connect.
    #[arg(long, requires = "relay")]
    pub tls: bool,

    /// The file with the token for the relay, as `relay token add` has printed it.
    #[arg(long, value_name = "FILE", requires = "relay")]
    pub token_file: Option<PathBuf>,
}

/// An action on a running server.
#[derive(Debug, Subcommand)]
pub enum RemoteControlAction {
    /// Prints a code that pairs a controller with this machine. On a terminal it waits until a controller has used it.
    Pair {
        /// Waits until a controller has used the code, or it has expired.
        #[arg(long, conflicts_with = "no_wait")]
        wait: bool,

        /// Ends as soon as the code is printed.
        #[arg(long)]
        no_wait: bool,

        /// What the controller may do, with a relay of your own: `observe`, `converse`, `files`, `admin`, with commas between
        /// them [default: observe,converse]
        #[arg(long, value_name = "SCOPES", value_parser = Scopes::from_list)]
        scopes: Option<Scopes>,

        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Prints whether this machine can be controlled, and if not, why.
    Status {
        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Lists the controllers that are paired with this machine.
    Clients {
        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Ends the pairing with a controller.
    Revoke {
        /// Id of the controller, as `clients` prints it.
        client_id: String,

        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Enables remote control and waits until controllers can connect.
    Enable {
        /// Only until the server ends; otherwise remote control is also enabled at the next start.
        #[arg(long)]
        ephemeral: bool,

        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Disables remote control; the server keeps running.
    #[command(visible_alias = "disable")]
    Stop {
        /// Only until the server ends; otherwise remote control is also disabled at the next start.
        #[arg(long)]
        ephemeral: bool,

        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },
}

impl RemoteControlAction {
    /// The server to attach to.
    pub fn server(&self) -> &ServerChoice {
        match self {
            Self::Pair { server, .. }
            | Self::Status { server }
            | Self::Clients { server }
            | Self::Revoke { server, .. }
            | Self::Enable { server, .. }
            | Self::Stop { server, .. } => server,
        }
    }
}
