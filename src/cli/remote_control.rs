//! The words behind `remote-control`.

use clap::{Args, Subcommand};

use super::ServerChoice;

/// `remote-control`, alone or with what to do.
#[derive(Debug, Args)]
pub struct RemoteControlArguments {
    /// What to do at a running server, instead of making this machine available until Ctrl-C.
    #[command(subcommand)]
    pub action: Option<RemoteControlAction>,

    /// For programs: JSON, one line a message.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What a client on the command line does about remote control.
#[derive(Debug, Subcommand)]
pub enum RemoteControlAction {
    /// Shows a code with which a controller is paired with this machine.
    Pair {
        /// Which server.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Shows whether this machine can be controlled, and if not, why.
    Status {
        /// Which server.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Enables remote control, and waits until controllers can connect.
    Enable {
        /// Until the server ends; without this it is enabled at the next start as well.
        #[arg(long)]
        ephemeral: bool,

        /// Which server.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Disables remote control; the server goes on.
    #[command(visible_alias = "disable")]
    Stop {
        /// Until the server ends; without this it is disabled at the next start as well.
        #[arg(long)]
        ephemeral: bool,

        /// Which server.
        #[command(flatten)]
        server: ServerChoice,
    },
}

impl RemoteControlAction {
    /// Which server it attaches to.
    pub fn server(&self) -> &ServerChoice {
        match self {
            Self::Pair { server }
            | Self::Status { server }
            | Self::Enable { server, .. }
            | Self::Stop { server, .. } => server,
        }
    }
}
