//! The start-up lock: only one server at a time checks, clears and binds a socket path.

use std::{
    fs::{File, TryLockError},
    path::Path,
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

/// Locks the directory at `path` against servers with another `$CODEX_HOME`, which use another lock file. Some network
/// file systems cannot lock directories; then only the lock file protects.
pub async fn lock_directory(path: &Path, limit: Duration) -> Result<File, UnixSocketError> {
    let directory = plain_file::open_directory(path).map_err(UnixSocketError::about(path))?;
    if let Err(error) = lock(&directory, path, limit).await? {
        log::debug!("{} cannot be locked: {error}", path.display());
    }
    Ok(directory)
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
    async fn locks_directories_too() {
        let dir = tempfile::tempdir().unwrap();
        let held = lock_directory(dir.path(), Duration::ZERO).await.unwrap();
        assert!(lock_directory(dir.path(), Duration::ZERO).await.is_err());
        drop(held);
        lock_directory(dir.path(), Duration::ZERO).await.unwrap();
    }
}
