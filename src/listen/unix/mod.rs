//! The Unix control socket: a private file that belongs to one live server at a time.

mod directory;
mod error;
mod file;
mod place;
mod startup_lock;

use std::{
    io,
    os::unix::{fs::MetadataExt as _, net::UnixListener},
    path::{Path, PathBuf},
    time::Duration,
};

pub use error::UnixSocketError;
pub use file::SocketFile;
pub use place::reachable;

use self::place::Place;
use super::CONTROL_DIRECTORY;

const STARTUP_LOCK: &str = "app-server-startup.lock";

/// Length of the queue of connections that are not accepted yet.
#[cfg(target_os = "linux")]
const BACKLOG: i32 = 1024;

/// The file that a server of `codex_home` locks while it starts.
pub fn startup_lock(codex_home: &Path) -> PathBuf {
    codex_home.join(CONTROL_DIRECTORY).join(STARTUP_LOCK)
}

/// Whether a server of `codex_home` is just starting.
pub fn is_starting(codex_home: &Path) -> bool {
    let lock = plain_file::open(&startup_lock(codex_home), plain_file::Links::Follow).map(|file| file.try_lock());
    matches!(lock, Ok(Err(std::fs::TryLockError::WouldBlock)))
}

/// A bound control socket.
#[derive(Debug)]
pub struct ControlSocket {
    /// Accepts connections already.
    pub listener: UnixListener,
    /// Removes the file when dropped.
    pub file: SocketFile,
}

impl ControlSocket {
    /// Binds the socket at the absolute `path`. Waits up to `wait` for another server that is starting.
    pub async fn bind(path: &Path, codex_home: &Path, wait: Duration) -> Result<Self, UnixSocketError> {
        let control = codex_home.join(CONTROL_DIRECTORY);
        directory::make_private(&control)?;
        let _starting = startup_lock::lock_file(&startup_lock(codex_home), wait).await?;

        let parent = path.parent().unwrap_or(path);
        let _chosen = if parent == control {
            None
        } else {
            directory::accept(parent)?;
            Some(startup_lock::LockBeside::take(path, wait).await?)
        };

        let place = Place::of(path)?;
        place.make_way().await?;
        let listener = bind_private(place.socket()).map_err(UnixSocketError::about(place.socket()))?;
        let mut file = SocketFile::made(place.socket()).map_err(UnixSocketError::about(place.socket()))?;
        if let Some(link) = place.link() {
            file.publish(link).map_err(UnixSocketError::about(link))?;
        }
        Ok(Self { listener, file })
    }

    /// Serves a socket that is bound to `path` already, for clients that look for it at `requested`. Its file is removed at
    /// the end if `is_ours`; otherwise it belongs to the supervisor that has made it.
    ///
    /// # Errors
    /// The file is gone, or other users could connect to it or replace it.
    pub fn adopt(
        listener: UnixListener,
        path: &Path,
        requested: &Path,
        is_ours: bool,
    ) -> Result<Self, UnixSocketError> {
        directory::accept(path.parent().unwrap_or(path))?;
        let metadata = std::fs::symlink_metadata(path).map_err(UnixSocketError::about(path))?;
        if metadata.mode() & 0o077 != 0 {
            return Err(UnixSocketError::OpenToOthers(path.to_owned()));
        }
        let file = if is_ours {
            SocketFile::taken_over(path, requested).map_err(UnixSocketError::about(path))?
        } else {
            SocketFile::of_supervisor(path)
        };
        Ok(Self { listener, file })
    }
}

/// Binds `path` with mode 0600 from its first instant. Linux gives the file the mode of the socket, so the umask of the
/// process, which affects other threads, need not change.
#[cfg(target_os = "linux")]
fn bind_private(path: &Path) -> io::Result<UnixListener> {
    use rustix::{
        fs::Mode,
        net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType},
    };

    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

/// Binds `path` with mode 0600 from its first instant. The umask affects the whole process, so the socket is bound
/// before any other thread is started.
#[cfg(not(target_os = "linux"))]
fn bind_private(path: &Path) -> io::Result<UnixListener> {
    use rustix::{fs::Mode, process::umask};

    let before = umask(Mode::XUSR | Mode::RWXG | Mode::RWXO);
    let listener = UnixListener::bind(path);
    umask(before);
    listener
}

#[cfg(test)]
mod tests;
