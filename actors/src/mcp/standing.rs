//! How a server is, for everybody who asks without waiting for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::catalogue::Catalogue;
use crate::protocol::catalog::McpServerConnectionStatus as Status;

/// How a server is. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Standing(Arc<Mutex<Seen>>);

/// How a server is at one moment.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Its connection.
    pub(super) status: Status,
    /// Why it does not work.
    pub(super) error: Option<String>,
    /// What it offered last. A server that has ended is started again by the next call.
    pub(super) catalogue: Option<Arc<Catalogue>>,
}

impl Standing {
    /// Nothing has happened yet.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Seen { status: Status::NotStarted, error: None, catalogue: None })))
    }

    /// How it is now.
    pub(super) fn get(&self) -> Seen {
        self.lock().clone()
    }

    /// It has changed.
    pub(super) fn set(&self, status: Status, error: Option<String>) {
        let mut seen = self.lock();
        (seen.status, seen.error) = (status, error);
    }

    /// It offers this.
    pub(super) fn offer(&self, catalogue: Catalogue) {
        self.lock().catalogue = Some(Arc::new(catalogue));
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
