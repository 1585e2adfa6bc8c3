//! The words for what the program does when it does not serve.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::{Override, RemoteControlArguments};
use crate::{
    attach::{Endpoint, Token},
    call::CallError,
    proxy::Framing,
};

/// What the program does when it does not serve.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints every setting in force, as TOML.
    Config {
        /// Says behind each value where it comes from.
        #[arg(long)]
        origin: bool,

        /// As before the word `config`.
        #[arg(short = 'c', long = "config", value_name = "KEY=VALUE")]
        overrides: Vec<Override>,
    },

    /// Connects stdin and stdout with a running server, for clients that expect to start one.
    Proxy {
        /// The server's Unix socket, instead of the control socket of `$CODEX_HOME`.
        // Not a path for clap, which would refuse an empty one; the reference program takes it for the working directory.
        #[arg(long, value_name = "SOCKET_PATH")]
        sock: Option<OsString>,

        /// What stdin and stdout carry.
        #[arg(long, value_enum, default_value_t)]
        framing: Framing,

        /// As before the word `proxy`.
        #[arg(short = 'c', long = "config", value_name = "KEY=VALUE", hide = true)]
        overrides: Vec<Override>,
    },

    /// Makes this machine available to controllers such as a phone, and tells how it goes, until Ctrl-C.
    ///
    /// Enables remote control of the server on the control socket; where none runs, starts one in this process.
    /// Exit codes as of `call`.
    RemoteControl(RemoteControlArguments),

    /// Looks for what could keep a server or its clients from working, and says what to do.
    ///
    /// Exit code 1 when something does not work. Changes nothing.
    Doctor {
        /// For programs.
        #[arg(long)]
        json: bool,
    },

    /// Prints a script that completes this program's command line.
    Completions {
        /// For this shell.
        shell: Shell,
    },

    /// Prints a man page; view it with `man -l -`.
    Man {
        /// Of this command, instead of the program.
        command: Option<String>,
    },

    /// Writes the protocol that this server speaks as JSON Schema (draft 7), one file a type and a bundle of all.
    GenerateJsonSchema {
        /// Where to.
        #[command(flatten)]
        target: Target,
    },

    /// Writes the protocol that this server speaks as TypeScript, one file a type.
    GenerateTs {
        /// Where to.
        #[command(flatten)]
        target: Target,
    },

    /// Prints the protocol that this server speaks as an OpenRPC document.
    GenerateOpenrpc {
        /// A file to write instead, or a folder for `openrpc.json`.
        #[arg(short, long, value_name = "PATH")]
        out: Option<PathBuf>,

        /// Includes what only clients that announce `experimentalApi` may use.
        #[arg(long)]
        experimental: bool,
    },

    /// Attaches to a running server.
    #[command(flatten)]
    Client(ClientCommand),
}

/// What is generated, and where to.
#[derive(Debug, Args)]
pub struct Target {
    /// The folder to write into; made if need be. Files of the same names are replaced.
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,

    /// Includes what only clients that announce `experimentalApi` may use.
    #[arg(long)]
    pub experimental: bool,
}

/// What a client on the command line does.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Calls a method of a running server and prints its result.
    ///
    /// Exit code 0 with a result, 1 with an error of the server, 2 for a wrong command line, 69 when no server answers.
    #[command(after_help = "Examples:\n  codex-app-server call thread/start\n  \
        codex-app-server call thread/list limit=3\n  \
        codex-app-server call thread/name/set '{\"threadId\":\"…\",\"name\":\"Sums\"}'")]
    Call {
        /// As the protocol calls it, such as `thread/list`.
        method: String,

        /// JSON, `-` for JSON on stdin, or KEY=VALUE pairs; without them `{}`.
        params: Vec<String>,

        /// Which server.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Prints what a running server tells its clients, one JSON message a line.
    Watch {
        /// Only what is about this thread, its turns included.
        #[arg(long, value_name = "ID")]
        thread: Option<String>,

        /// Which server.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Lists the threads that changed last.
    Threads {
        /// Archived ones instead of the others.
        #[arg(long)]
        archived: bool,

        /// Threads at most.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,

        /// Which server.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Gives a thread a title.
    Rename {
        /// Which thread.
        thread_id: String,

        /// The title.
        name: String,

        /// Which server.
        #[command(flatten)]
        server: ServerChoice,
    },

    /// Archives a thread.
    Archive {
        /// Which thread.
        thread_id: String,

        /// Which server.
        #[command(flatten)]
        server: ServerChoice,
    },
}

/// Which server a client attaches to.
#[derive(Debug, Args)]
pub struct ServerChoice {
    /// `unix://PATH` or `ws://HOST:PORT`, instead of the control socket of `$CODEX_HOME`.
    #[arg(long, value_name = "URL")]
    pub connect: Option<String>,

    /// A file with the token that the server wants to see.
    #[arg(long, value_name = "PATH", requires = "connect")]
    pub token_file: Option<PathBuf>,
}

impl ServerChoice {
    /// Where the chosen server is, and with which token it is entered.
    ///
    /// # Errors
    /// There can be no server, or no token: a usage error.
    pub fn endpoint(&self, codex_home: &Path) -> Result<Endpoint, CallError> {
        let token = self.token_file.as_deref().map(Token::read).transpose();
        let token = token.map_err(|error| CallError::Usage(error.to_string()))?;
        Endpoint::parse(self.connect.as_deref(), token, codex_home).map_err(|error| CallError::Usage(error.to_string()))
    }
}

impl ClientCommand {
    /// Which server it attaches to.
    pub fn server(&self) -> &ServerChoice {
        match self {
            Self::Call { server, .. }
            | Self::Watch { server, .. }
            | Self::Threads { server, .. }
            | Self::Rename { server, .. }
            | Self::Archive { server, .. } => server,
        }
    }
}
