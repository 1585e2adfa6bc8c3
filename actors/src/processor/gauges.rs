//! Figures about the running server.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::task::TaskTracker;

use crate::connection::ingress::Ingress;
use crate::metrics::state::resident_bytes;
use crate::protocol::diagnostics::{
    FailedUpgrade, ServerDiagnosticsGauge, ServerDiagnosticsProcess, ServerDiagnosticsResponse,
};

/// Where figures about the requests come from.
#[derive(Clone)]
pub struct Gauges {
    /// Requests in front of the processor.
    pub(crate) ingress: Arc<Ingress>,
    /// Everything that a drain waits for.
    pub(crate) work: TaskTracker,
    /// The URLs at which clients connect.
    pub(crate) listeners: Arc<[String]>,
    /// The last attempt to put another server in the place of this one, if one has failed.
    pub(crate) failed_upgrade: Arc<Mutex<Option<FailedUpgrade>>>,
}

impl Gauges {
    /// All figures but those about connections. The names are the reference program's.
    pub(super) fn read(&self) -> ServerDiagnosticsResponse {
        let gauge = |name: &str, value: usize| ServerDiagnosticsGauge { name: name.to_owned(), value: value as u64 };
        ServerDiagnosticsResponse {
            process: ServerDiagnosticsProcess {
                id: std::process::id(),
                resident_memory_bytes: resident_bytes(),
                physical_footprint_bytes: None,
            },
            gauges: vec![
                gauge("app.requests.in_flight", self.work.len()),
                gauge("app.requests.queued", self.ingress.waiting()),
            ],
            version: env!("CARGO_PKG_VERSION").to_owned(),
            listeners: self.listeners.to_vec(),
            failed_upgrade: self.failed_upgrade.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            connections: Vec::new(),
        }
    }
}
