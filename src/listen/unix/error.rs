//! Errors of the Unix socket.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a Unix socket cannot be served. The texts are the reference program's where it has one.
#[derive(Debug, thiserror::Error)]
pub enum UnixSocketError {
    /// Another server is listening there.
    #[error("app-server control socket is already in use at {}", .0.display())]
    InUse(PathBuf),
    /// The path is not a socket.
    #[error("app-server control socket path exists and is not a socket: {}", .0.display())]
    NotASocket(PathBuf),
    /// The path is a stale socket of another user.
    #[error("app-server control socket path belongs to another user: {}", .0.display())]
    ForeignSocket(PathBuf),
    /// The path is a symbolic link of another program.
    #[error("{}: {}", io::Error::from(rustix::io::Errno::EXIST), .0.display())]
    ForeignLink(PathBuf),
    /// The directory of the socket is a file or a symbolic link.
    #[error(
        "socket directory path exists and is not a directory{}: {}; move it away, and the server makes the directory",
        if .0.is_symlink() { " but a link" } else { "" },
        .0.display()
    )]
    NotADirectory(PathBuf),
    /// Another user could replace the socket.
    #[error(
        "socket parent must be owned by the user or root and prevent other users from replacing socket entries: {}",
        .0.display()
    )]
    UnsafeParent(PathBuf),
    /// A supervisor has made the socket, and other users could connect to it.
    #[error("other users can connect to the inherited socket {}; set SocketMode=0600 in its unit", .0.display())]
    OpenToOthers(PathBuf),
    /// Another server has been starting for too long.
    #[error(
        "another codex-app-server has been starting for more than {seconds} s and still holds {}; wait for it or end \
         it, then start again (setting startup.lock_seconds)",
        path.display()
    )]
    StillStarting {
        /// The locked path.
        path: PathBuf,
        /// How long this server waited.
        seconds: u64,
    },
    /// The system refused.
    #[error("{error}: {}", path.display())]
    Io {
        /// The error of the operating system.
        error: io::Error,
        /// About what.
        path: PathBuf,
    },
}

impl UnixSocketError {
    /// A `map_err` function for system calls on `path`.
    pub fn about(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { error, path: path.to_owned() }
    }
}
