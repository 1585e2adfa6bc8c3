//! Why there is no control socket.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a Unix socket cannot be served. Where the reference program has a text for a case, this is it.
#[derive(Debug, thiserror::Error)]
pub enum UnixSocketError {
    /// Somebody accepts connections there.
    #[error("app-server control socket is already in use at {}", .0.display())]
    InUse(PathBuf),
    /// A file of another kind lies there, and it is not ours to remove.
    #[error("app-server control socket path exists and is not a socket: {}", .0.display())]
    NotASocket(PathBuf),
    /// A stale socket of another user lies there.
    #[error("app-server control socket path belongs to another user: {}", .0.display())]
    ForeignSocket(PathBuf),
    /// A symbolic link that this program did not make lies there.
    #[error("{}: {}", io::Error::from(rustix::io::Errno::EXIST), .0.display())]
    ForeignLink(PathBuf),
    /// The directory for the socket is a file or a symbolic link.
    #[error("socket directory path exists and is not a directory: {}", .0.display())]
    NotADirectory(PathBuf),
    /// Another user could replace the socket.
    #[error(
        "socket parent must be owned by the user or root and prevent other users from replacing socket entries: {}",
        .0.display()
    )]
    UnsafeParent(PathBuf),
    /// Another server has been starting for too long.
    #[error(
        "another codex-app-server has been starting for more than {seconds} s and still holds {}; wait for it or end \
         it, then start again (setting startup.lock_seconds)",
        path.display()
    )]
    StillStarting {
        /// What it has locked.
        path: PathBuf,
        /// How long this server waited.
        seconds: u64,
    },
    /// The system refused.
    #[error("{error}: {}", path.display())]
    Io {
        /// What it said.
        error: io::Error,
        /// About what.
        path: PathBuf,
    },
}

impl UnixSocketError {
    /// Makes the `map_err` of a system call on `path`.
    pub fn about(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { error, path: path.to_owned() }
    }
}
