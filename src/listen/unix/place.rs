//! The path of the socket file, and the removal of stale files.

use std::{
    fs::{self, FileType},
    io,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{FileTypeExt as _, MetadataExt as _},
        net::SocketAddr,
    },
    path::{Path, PathBuf},
};

use rustix::process::geteuid;
use sha2::{Digest as _, Sha256};
use tokio::net::UnixStream;

use super::{UnixSocketError, directory};

/// A requested socket path and the path that is bound for it.
pub struct Place {
    requested: PathBuf,
    socket: PathBuf,
}

impl Place {
    /// The place for the socket `requested`, whose parent directory exists. A path that is too long for a socket
    /// address becomes a symbolic link to a socket in a short directory of this user, with the reference program's
    /// names, so that its clients find it.
    pub fn of(requested: &Path) -> Result<Self, UnixSocketError> {
        let requested = requested.to_owned();
        if SocketAddr::from_pathname(&requested).is_ok() {
            return Ok(Self { socket: requested.clone(), requested });
        }
        let socket = short_path(&requested).map_err(UnixSocketError::about(&requested))?;
        directory::make_private(socket.parent().unwrap_or(&socket))?;
        Ok(Self { requested, socket })
    }

    /// The path to bind.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The symbolic link to create after binding, if the requested path is too long.
    pub fn link(&self) -> Option<&Path> {
        (self.requested != self.socket).then_some(self.requested.as_path())
    }

    /// Removes the files of a dead server. Refuses if there is a live server or a file that is not ours.
    pub async fn make_way(&self) -> Result<(), UnixSocketError> {
        let requested = &self.requested;
        match kind(requested)? {
            Some(kind) if kind.is_symlink() => self.clear_link().await?,
            Some(kind) if kind.is_socket() && self.link().is_none() => self.clear_socket(requested).await?,
            Some(_) => return Err(UnixSocketError::NotASocket(requested.clone())),
            None => {}
        }
        if self.link().is_some() {
            self.clear_socket(&self.socket).await?;
        }
        Ok(())
    }

    /// A link to the short path was left by this program or the reference program; other links are not touched.
    async fn clear_link(&self) -> Result<(), UnixSocketError> {
        let requested = &self.requested;
        if self.link().is_none() && is_live(requested).await? {
            return Err(UnixSocketError::InUse(requested.clone()));
        }
        let about = UnixSocketError::about;
        let short = short_path(requested).map_err(about(requested))?;
        if fs::read_link(requested).map_err(about(requested))? != short {
            return Err(UnixSocketError::ForeignLink(requested.clone()));
        }
        self.clear_socket(&short).await?;
        fs::remove_file(requested).map_err(about(requested))
    }

    async fn clear_socket(&self, socket: &Path) -> Result<(), UnixSocketError> {
        let metadata = match fs::symlink_metadata(socket) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            metadata => metadata.map_err(UnixSocketError::about(socket))?,
        };
        if !metadata.file_type().is_socket() {
            return Err(UnixSocketError::NotASocket(socket.to_owned()));
        }
        if is_live(socket).await? {
            return Err(UnixSocketError::InUse(self.requested.clone()));
        }
        if metadata.uid() != geteuid().as_raw() {
            return Err(UnixSocketError::ForeignSocket(socket.to_owned()));
        }
        log::info!("removing the stale socket {}", socket.display());
        fs::remove_file(socket).map_err(UnixSocketError::about(socket))
    }
}

fn kind(path: &Path) -> Result<Option<FileType>, UnixSocketError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(UnixSocketError::about(path)(error)),
    }
}

/// Whether a server is listening at `path`. A server whose queue of new connections is full is alive, too.
async fn is_live(path: &Path) -> Result<bool, UnixSocketError> {
    use io::ErrorKind::{ConnectionRefused, NotFound, WouldBlock};
    match UnixStream::connect(path).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == WouldBlock => Ok(true),
        Err(error) if matches!(error.kind(), ConnectionRefused | NotFound) => Ok(false),
        Err(error) => Err(UnixSocketError::about(path)(error)),
    }
}

/// The path at which clients reach the socket that was requested at `requested`: the same, or the short one that is bound
/// instead.
///
/// # Errors
/// The path is too long, and its directory does not exist.
pub fn reachable(requested: &Path) -> io::Result<PathBuf> {
    match SocketAddr::from_pathname(requested) {
        Ok(_) => Ok(requested.to_owned()),
        Err(_) => short_path(&std::path::absolute(requested)?),
    }
}

/// `/tmp/codex-daemon-UID/SHA256`, with the digest of the requested path with a canonical parent.
pub(super) fn short_path(requested: &Path) -> io::Result<PathBuf> {
    let parent = requested.parent().unwrap_or(requested).canonicalize()?;
    let canonical = parent.join(requested.file_name().unwrap_or_default());
    let digest = Sha256::digest(canonical.as_os_str().as_bytes());
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let directory = format!("codex-daemon-{}", geteuid().as_raw());
    Ok(Path::new("/tmp").canonicalize()?.join(directory).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_path_is_bound_itself() {
        let place = Place::of(Path::new("/tmp/x.sock")).unwrap();
        assert_eq!((place.socket(), place.link()), (Path::new("/tmp/x.sock"), None));
    }

    #[test]
    fn the_short_path_is_the_digest_of_the_canonical_path() {
        let tmp = Path::new("/tmp").canonicalize().unwrap();
        if tmp == Path::new("/tmp") {
            let short = short_path(Path::new("/tmp/x.sock")).unwrap();
            assert_eq!(short.file_name().unwrap(), "637dcac45d9fc223254902d771792b3eeab9d0bdac55664d7eda1376560945c5");
        }
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real");
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, dir.path().join("link")).unwrap();
        let short = short_path(&real.join("s")).unwrap();
        assert!(short.starts_with(&tmp) && SocketAddr::from_pathname(&short).is_ok());
        assert_eq!(short, short_path(&dir.path().join("link/s")).unwrap());
        assert_ne!(short, short_path(&real.join("t")).unwrap());
    }
}
