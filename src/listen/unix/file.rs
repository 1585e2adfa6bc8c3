//! The socket file while this process serves it.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// Removes the socket file when dropped, if it is still the one that this process created: another server may have
/// taken the path meanwhile. Drop it before the listener, because until then no other server treats the file as stale.
#[derive(Debug)]
pub struct SocketFile {
    socket: PathBuf,
    link: Option<PathBuf>,
    /// What is removed at the end; `None` for a file that stays.
    device_and_inode: Option<(u64, u64)>,
    /// What [`Self::claim`] makes of that.
    to_claim: Option<(u64, u64)>,
}

impl SocketFile {
    /// Records the socket file that was just created at `socket`.
    pub fn made(socket: &Path) -> io::Result<Self> {
        Ok(Self { socket: socket.to_owned(), link: None, device_and_inode: Some(identity(socket)?), to_claim: None })
    }

    /// The socket file at `socket` of the server before this one, and its link at `requested` if that is another path. It
    /// stays that server's until [`Self::claim`].
    pub fn taken_over(socket: &Path, requested: &Path) -> io::Result<Self> {
        let is_link = fs::read_link(requested).is_ok_and(|target| target == socket);
        let mut file = Self::made(socket)?;
        file.link = is_link.then(|| requested.to_owned());
        file.to_claim = file.device_and_inode.take();
        Ok(file)
    }

    /// The socket file of a supervisor at `socket`, which stays.
    pub fn of_supervisor(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), link: None, device_and_inode: None, to_claim: None }
    }

    /// Creates a symbolic link at `link` to the socket, to be removed with it.
    pub fn publish(&mut self, link: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(&self.socket, link)?;
        self.link = Some(link.to_owned());
        Ok(())
    }

    /// Whether this process removes the file at its end.
    pub fn is_ours(&self) -> bool {
        self.device_and_inode.is_some()
    }

    /// The server before this one has ended.
    pub fn claim(&mut self) {
        self.device_and_inode = self.to_claim.take().or(self.device_and_inode);
    }

    /// Leaves the file to the process that serves it from now on.
    pub fn hand_over(mut self) {
        self.device_and_inode = None;
    }

    /// Where clients connect.
    pub fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.socket)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.device_and_inode.is_none() || identity(&self.socket).ok() != self.device_and_inode {
            return;
        }
        if let Some(link) = &self.link
            && fs::read_link(link).is_ok_and(|target| target == self.socket)
        {
            remove(link);
        }
        remove(&self.socket);
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        log::warn!("cannot remove {}: {error}", path.display());
    }
}
