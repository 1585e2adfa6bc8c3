//! The lock for writing `config.toml`, shared with other programs and among our own clients.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep, timeout_at};

use crate::protocol::RpcError;

/// Interval between attempts to take the lock.
const RETRY: Duration = Duration::from_millis(10);

/// The lock for one writer at a time. `$CODEX_HOME` itself is locked, because each writer replaces the file.
#[derive(Clone)]
pub struct ConfigLock {
    codex_home: PathBuf,
    /// Waiters in order of arrival. Each has its own deadline, so one wait serves all of them.
    ours: Arc<Mutex<()>>,
}

/// A guard: holds the lock until it is dropped.
pub struct ConfigLockGuard {
    _others: File,
    _ours: OwnedMutexGuard<()>,
}

impl ConfigLock {
    /// Creates the lock of `codex_home`.
    pub fn new(codex_home: PathBuf) -> Self {
        Self { codex_home, ours: Arc::default() }
    }

    /// Takes the lock.
    ///
    /// # Errors
    /// -32603 if the lock is not free by `deadline`, or the directory cannot be opened.
    pub async fn take(&self, deadline: Instant) -> Result<ConfigLockGuard, RpcError> {
        let ours = timeout_at(deadline, self.ours.clone().lock_owned()).await;
        let ours = ours.map_err(|_| self.failed("another program has been writing the configuration for too long"))?;
        let home = plain_file::open_directory(&self.codex_home).map_err(|error| self.failed(&error.to_string()))?;
        loop {
            match home.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => {
                    // Some network file systems do not support locks. Then only the check before the replacement
                    // remains.
                    log::debug!("{} cannot be locked: {error}", self.codex_home.display());
                    break;
                }
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(self.failed("another program has been writing the configuration for too long"));
                }
                Err(TryLockError::WouldBlock) => sleep(RETRY).await,
            }
        }
        Ok(ConfigLockGuard { _others: home, _ours: ours })
    }

    fn failed(&self, reason: &str) -> RpcError {
        RpcError::internal(format_args!("{}: {reason}", self.codex_home.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn one_wait_serves_everybody_who_waits_for_another_program() {
        let home = tempfile::tempdir().unwrap();
        let other = File::open(home.path()).unwrap();
        other.lock().unwrap();
        let lock = ConfigLock::new(home.path().to_owned());
        let started = Instant::now();
        let wait = Duration::from_millis(200);
        let waiting: Vec<_> = (0..20)
            .map(|_| {
                let lock = lock.clone();
                actix_rt::spawn(async move { lock.take(started + wait).await.map(drop) })
            })
            .collect();
        for waiting in waiting {
            let error = waiting.await.unwrap().unwrap_err();
            assert!(error.message.contains("another program has been writing"), "{}", error.message);
        }
        assert!(started.elapsed() < wait * 10, "they waited one after the other");
        drop(other);
        lock.take(Instant::now()).await.map(drop).unwrap();
    }
}
