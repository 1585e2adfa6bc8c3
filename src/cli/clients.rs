//! The subcommands that attach to a running server.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::attach::{CallError, Endpoint, Token};

/// A subcommand that attaches to a running server as a client.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Calls a method of a running server and prints its result.
    ///
    /// Exit codes: 0 for a result, 1 for an error from the server, 2 for a usage error, 69 if no server is running, 75
    /// if the server is too busy or full.
    #[command(after_help = "Examples:\n  codex-app-server call thread/start\n  \
        codex-app-server call thread/list limit=3\n  \
        codex-app-server call thread/name/set '{\"threadId\":\"…\",\"name\":\"Sums\"}'")]
    Call {
        /// Name of the method, such as `thread/list`.
        method: String,

        /// Parameters: JSON, KEY=VALUE pairs, or `-` to read JSON from stdin [default: {}]
        params: Vec<String>,

        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Prints the notifications of a running server, one JSON message per line.
    Watch {
        /// Prints only notifications about this thread, including those about its turns.
        #[arg(long, value_name = "ID")]
        thread: Option<String>,

        /// Prints one message a line on a terminal, too.
        #[arg(long)]
        lines: bool,

        /// Connects again when the server has ended, and waits for one that does not run yet.
        #[arg(long)]
        reconnect: bool,

        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Lists the most recently changed threads.
    Threads {
        /// Lists archived threads instead.
        #[arg(long)]
        archived: bool,

        /// Maximum number of threads.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,

        /// Prints the server's answer as JSON, with all members of each thread.
        #[arg(long)]
        json: bool,

        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Sets the title of a thread.
    Rename {
        /// Id of the thread.
        thread_id: String,

        /// The new title.
        name: String,

        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Brings an archived thread back.
    Unarchive {
        /// Id of the thread.
        thread_id: String,

        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Prints which server runs, and its clients.
    Status {
        /// Prints the server's answer as JSON.
        #[arg(long)]
        json: bool,

        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Says whether the running server takes new work, for health checks of containers and scripts.
    ///
    /// Needs no token. Exit codes: 0 if it does, 1 if it does not (it drains, or cannot save), 69 if no server answers.
    Health {
        /// Only asks whether the process answers at all, as a liveness probe does.
        #[arg(long)]
        live: bool,

        /// The server to ask.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Ends the running server of this machine in good order, and waits for its end.
    Stop {
        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Puts a new server, such as a newer version of the program, in the place of the running one of this machine.
    ///
    /// The new server is started as the running one was and takes its sockets, so no client is refused: running work is
    /// finished first, and who connects meanwhile waits. If the new server cannot start, the running one goes on.
    Upgrade {
        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Archives a thread.
    Archive {
        /// Id of the thread.
        thread_id: String,

        /// The server to attach to.
        #[command(flatten)]
        server: ServerChoice,
    },
}

/// The server that a client attaches to.
#[derive(Debug, Args)]
pub struct ServerChoice {
    /// Server to attach to: `unix://PATH` or `ws://HOST:PORT` [default: the control socket in $CODEX_HOME]
    #[arg(long, value_name = "URL")]
    pub connect: Option<String>,

    /// File with the bearer token for the server.
    #[arg(long, value_name = "PATH", requires = "connect")]
    pub token_file: Option<PathBuf>,
}

impl ServerChoice {
    /// The address of the server and the token for it.
    ///
    /// # Errors
    /// The address is invalid or the token file is unusable: a usage error.
    pub fn endpoint(&self, codex_home: &Path) -> Result<Endpoint, CallError> {
        let token = self.token_file.as_deref().map(Token::read).transpose();
        let token = token.map_err(|error| CallError::Usage(error.to_string()))?;
        Endpoint::parse(self.connect.as_deref(), token, codex_home).map_err(|error| CallError::Usage(error.to_string()))
    }
}

impl ClientCommand {
    /// The server to attach to.
    pub fn server(&self) -> &ServerChoice {
        match self {
            Self::Call { server, .. }
            | Self::Watch { server, .. }
            | Self::Threads { server, .. }
            | Self::Rename { server, .. }
            | Self::Unarchive { server, .. }
            | Self::Status { server, .. }
            | Self::Stop { server }
            | Self::Upgrade { server }
            | Self::Health { server, .. }
            | Self::Archive { server, .. } => server,
        }
    }
}
