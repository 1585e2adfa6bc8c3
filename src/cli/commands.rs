//! The subcommands.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::{ClientCommand, Override, RelayArguments, RemoteControlArguments, ServerChoice};
use crate::proxy::Framing;

/// A subcommand: what the program does instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints the effective settings as TOML.
    ///
    /// A later layer overrides an earlier one: defaults, file, environment (RUST_LOG, LOG_FORMAT, and one KEY=VALUE on each
    /// line of CODEX_APP_SERVER_CONFIG), `-c`, options.
    #[command(args_conflicts_with_subcommands = true)]
    Config {
        /// What to do instead.
        #[command(subcommand)]
        action: Option<ConfigAction>,

        /// Also prints where each value comes from.
        #[arg(long)]
        origin: bool,

        /// Same as the global `-c`.
        #[arg(short = 'c', long = "config", value_name = "KEY=VALUE")]
        overrides: Vec<Override>,
    },

    /// Connects stdin and stdout to a running server, for clients that expect to start their own.
    Proxy {
        /// Unix socket of the server [default: the control socket in $CODEX_HOME]
        // Not a `PathBuf`: clap rejects an empty one, which the reference program takes as the working directory.
        #[arg(long, value_name = "SOCKET_PATH")]
        sock: Option<OsString>,

        /// Format of the bytes on stdin and stdout.
        #[arg(long, value_enum, default_value_t)]
        framing: Framing,

        /// Connects again when the server has ended, for clients that write JSON lines. Requests without an answer get an
        /// error; threads are followed as before.
        #[arg(long)]
        reconnect: bool,

        /// Same as the global `-c`.
        #[arg(short = 'c', long = "config", value_name = "KEY=VALUE", hide = true)]
        overrides: Vec<Override>,
    },

    /// Talks with the agent: sends PROMPT and prints the answer as it comes.
    ///
    /// Without PROMPT it reads stdin: on a terminal one message a line until Ctrl-D, otherwise everything as one
    /// message. It uses the running server; if none runs, it serves itself until it ends. Ctrl-C interrupts the
    /// answer, Ctrl-C again leaves. What the agent does is shown on a terminal, otherwise on stderr.
    ///
    /// What needs an approval is shown and asked on a terminal; without one, or with --json, another client must
    /// decide. Exit codes are those of `call`, and 1 also for an answer that failed or was
    /// interrupted.
    #[command(after_help = "Examples:\n  codex-app-server chat \"hello\"\n  \
        codex-app-server -c model_provider=echo chat \"hello\"\n  \
        git diff | codex-app-server chat")]
    Chat(ChatArguments),

    /// Makes this machine available for remote control, for example from a phone, until Ctrl-C.
    ///
    /// Enables remote control in the server on the control socket. If none is running, starts a server in this process.
    /// Exit codes are those of `call`.
    RemoteControl(RemoteControlArguments),

    /// Serves phones that control machines: the other side of `remote-control --relay`, and a page for the phone.
    ///
    /// Machines enroll with a token of `relay token add`. A phone opens the page, and is paired by a code of
    /// `remote-control pair`. What is kept lies in $CODEX_HOME/relay.
    Relay(RelayArguments),

    /// Checks everything that a server and its clients need, and says how to fix what is wrong.
    ///
    /// Changes nothing unless --repair is given. The exit code is 1 if a check found an error.
    Doctor {
        /// First builds anew what can be built from the rest: the indexes of the thread database. No server may use it. The
        /// files are kept as they were.
        #[arg(long)]
        repair: bool,

        /// Prints the result as one JSON object.
        #[arg(long)]
        json: bool,
    },

    /// Runs the server as a service of yours, from sign-in on: a unit of systemd, or an agent of launchd.
    Service {
        /// What to do.
        #[command(subcommand)]
        action: ServiceAction,
    },

    /// Copies the thread database to FILE, also while servers use it.
    ///
    /// The copy is one file that holds everything; `restore` puts it back. FILE must not exist.
    Backup {
        /// File to write.
        file: PathBuf,
    },

    /// Puts a backup in the place of the thread database.
    ///
    /// Refuses while a server uses the database. The files that were there are kept under the name that is printed.
    Restore {
        /// File that `backup` wrote.
        file: PathBuf,
    },

    /// Prints a shell completion script.
    Completions {
        /// The shell to complete for.
        shell: Shell,
    },

    /// Prints a man page; pipe it into `man -l -` to read it.
    Man {
        /// The subcommand to document, such as `watch` or `remote-control pair` [default: the whole program]
        command: Vec<String>,
    },

    /// Prints the table of the metrics at `/metrics`, as Markdown.
    Metrics,
    /// Writes the protocol as JSON Schema (draft 7): one file per type, and a bundle of all types.
    GenerateJsonSchema {
        /// Where to write, and what.
        #[command(flatten)]
        target: Target,
    },

    /// Writes the protocol as TypeScript, one file per type.
    GenerateTs {
        /// Where to write, and what.
        #[command(flatten)]
        target: Target,
    },

    /// Prints the protocol as an OpenRPC document.
    GenerateOpenrpc {
        /// File to write instead of stdout, or a directory to write `openrpc.json` into.
        #[arg(short, long, value_name = "PATH")]
        out: Option<PathBuf>,

        /// Includes the experimental parts of the protocol, which need the `experimentalApi` capability.
        #[arg(long)]
        experimental: bool,
    },

    /// Changes files as a patch says, for commands of the agent. All of it is done, or nothing.
    ///
    /// The program does the same when it is called `apply_patch` or `applypatch`. Paths are relative to the working
    /// directory.
    #[command(hide = true)]
    ApplyPatch(ApplyPatchArguments),

    /// Tells the server what has changed in the git work tree that is the working directory, whenever it asks.
    #[command(hide = true)]
    ObserveWorkTree,

    /// Attaches to a running server.
    #[command(flatten)]
    Client(ClientCommand),
}

/// What `chat` is told.
#[derive(Debug, Args)]
pub struct ChatArguments {
    /// The message.
    pub prompt: Option<String>,

    /// Goes on with this thread; otherwise a new one starts in the working directory.
    #[arg(long, value_name = "ID")]
    pub thread: Option<String>,

    /// Prints every notification and question about the thread as one line of JSON instead of text.
    #[arg(long)]
    pub json: bool,

    /// The server to attach to.
    #[command(flatten)]
    pub server: ServerChoice,
}

/// What `apply-patch` is told.
#[derive(Debug, Args)]
pub struct ApplyPatchArguments {
    /// The patch [default: what is on stdin]
    pub patch: Option<String>,

    /// Takes from stdin a patch that the server has planned, and writes it exactly so.
    #[arg(long, hide = true, conflicts_with = "patch")]
    pub planned: bool,
}

/// The output of a generator.
#[derive(Debug, Args)]
pub struct Target {
    /// Directory to write into. It is created if needed; existing files are overwritten.
    #[arg(short, long, value_name = "DIR")]
    pub out: PathBuf,

    /// Includes the experimental parts of the protocol, which need the `experimentalApi` capability.
    #[arg(long)]
    pub experimental: bool,
}

/// What to do with the service.
#[derive(Debug, Subcommand)]
pub enum ServiceAction {
    /// Writes its file, with this program and this CODEX_HOME, and starts it.
    Install,
    /// Ends it and removes its file. The threads stay.
    Uninstall,
    /// Prints what the service manager says of it.
    Status,
    /// Prints the last lines of its log.
    Logs {
        /// Goes on printing new lines until Ctrl-C.
        #[arg(short, long)]
        follow: bool,
    },
}

/// What `config` does besides printing.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Checks app-server.toml and config.toml with all overrides, and says what is wrong in which line.
    ///
    /// The exit code is 78 if something is wrong, also an unknown key.
    Check {
        /// Same as the global `-c`.
        #[arg(short = 'c', long = "config", value_name = "KEY=VALUE", hide = true)]
        overrides: Vec<Override>,
    },
}
