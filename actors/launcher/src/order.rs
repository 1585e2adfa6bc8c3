//! Orders to the launcher.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// An order.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// Run a command.
    Exec(Exec),
    /// Confine yourself as for a command without write access, report the missing layers, and end.
    Probe,
}

/// A command.
#[derive(Debug, Serialize, Deserialize)]
pub struct Exec {
    /// Program, looked up in the command's own `PATH`, and arguments; never empty.
    pub argv: Vec<OsString>,
    /// Absolute working directory.
    pub cwd: PathBuf,
    /// The complete environment.
    pub env: Vec<(OsString, OsString)>,
    /// Whether the standard streams are a terminal, which becomes the controlling terminal.
    pub terminal: bool,
    /// The sandbox; `None` for all rights of the server's user.
    pub confinement: Option<Confinement>,
}

/// The permissions of a confined command. It may always read files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Absolute paths of directories (or single files) in which it may write. Missing ones are ignored.
    pub writable: Vec<PathBuf>,
    /// Read-only paths inside them, in addition to `.git` and `.codex` of each.
    pub read_only: Vec<PathBuf>,
    /// Hidden files and directories, such as sockets of services that would act for it.
    pub hidden: Vec<PathBuf>,
    /// Whether it may use the network.
    pub network: bool,
}
