//! The start-up lock: only one server at a time checks, clears and binds a socket path.

use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use plain_file::Links;
use tokio::time::{Instant, sleep};

use super::UnixSocketError;

/// Interval between attempts to take the lock.
const RETRY_EVERY: Duration = Duration::from_millis(10);

/// Locks the file at `path` until the returned file is dropped. The file is created if needed and never removed. Gives
/// up after `limit`.
pub async fn lock_file(path: &Path, limit: Duration) -> Result<File, UnixSocketError> {
    let file = plain_file::open_or_create(path, Links::Follow, 0o600).map_err(UnixSocketError::about(path))?;
    lock(&file, path, limit).await?.map_err(UnixSocketError::about(path))?;
    Ok(file)
}

/// A lock file beside a socket, which is removed when it is dropped.
#[derive(Debug)]
pub struct LockBeside {
    path: PathBuf,
    _locked: File,
}

impl LockBeside {
    /// Locks out servers with another `$CODEX_HOME`, which do not meet at its lock file, from the path `socket`. The
    /// lock is a file that only its owner can open: everybody who can read a directory could lock the directory itself.
    /// Some network file systems cannot lock at all: there the lock file in `$CODEX_HOME` alone has to do.
    pub async fn take(socket: &Path, limit: Duration) -> Result<Self, UnixSocketError> {
        let mut path = socket.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let about = |error| UnixSocketError::about(&path)(error);
        let started = Instant::now();
        loop {
            let file = plain_file::open_or_create(&path, Links::Refuse, 0o600).map_err(about)?;
            if let Err(error) = lock(&file, &path, limit.saturating_sub(started.elapsed())).await? {
                log::debug!("{} cannot be locked: {error}", path.display());
            }
            let locked = file.metadata().map_err(about)?;
            // Who had it before has removed it. It is worth nothing, because the next one makes and locks another.
            let current = path.symlink_metadata().ok().map(|found| (found.dev(), found.ino()));
            if current == Some((locked.dev(), locked.ino())) {
                return Ok(Self { path, _locked: file });
            }
        }
    }
}

impl Drop for LockBeside {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            log::debug!("{} stays: {error}", self.path.display());
        }
    }
}

/// The outer error: it was locked for too long. The inner error: it cannot be locked at all.
async fn lock(file: &File, path: &Path, limit: Duration) -> Result<std::io::Result<()>, UnixSocketError> {
    let started = Instant::now();
    let mut announced = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Ok(())),
            Err(TryLockError::Error(error)) => return Ok(Err(error)),
            Err(TryLockError::WouldBlock) if started.elapsed() >= limit => {
                return Err(UnixSocketError::StillStarting { path: path.to_owned(), seconds: limit.as_secs() });
            }
            Err(TryLockError::WouldBlock) => {}
        }
        if !announced {
            log::warn!("another codex-app-server is starting; waiting for {}", path.display());
            announced = true;
        }
        sleep(RETRY_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn waits_for_a_lock_that_becomes_free() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = lock_file(&path, Duration::ZERO).await.unwrap();
        let waiting = actix_rt::spawn(async move { lock_file(&path, Duration::from_secs(30)).await });
        sleep(RETRY_EVERY * 3).await;
        assert!(!waiting.is_finished());
        drop(held);
        waiting.await.unwrap().unwrap();
    }

    #[actix_rt::test]
    async fn gives_up_with_a_message_that_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let _held = lock_file(&path, Duration::ZERO).await.unwrap();
        let error = lock_file(&path, Duration::from_millis(30)).await.unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()) && error.contains("wait for it or end it"), "{error}");
    }

    #[actix_rt::test]
    async fn a_lock_beside_a_socket_is_taken_in_turns_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("s.sock");
        // Whoever can read the directory may lock it.
        let other = File::open(dir.path()).unwrap();
        other.lock().unwrap();
        let held = LockBeside::take(&socket, Duration::ZERO).await.unwrap();
        let refused = LockBeside::take(&socket, Duration::ZERO).await;
        assert!(matches!(refused, Err(UnixSocketError::StillStarting { .. })));
        let its_socket = socket.clone();
        let waiting =
            actix_rt::spawn(async move { LockBeside::take(&its_socket, Duration::from_secs(30)).await.map(drop) });
        sleep(RETRY_EVERY * 3).await;
        drop(held);
        waiting.await.unwrap().unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
