//! The hub: what every connection needs of the server, and nothing behind the processor.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use actix::prelude::*;
use tokio_util::task::TaskTracker;

use crate::connection::ConnectionId;
use crate::connection::in_flight::InFlight;
use crate::connection::ingress::Ingress;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::processor::{Drain, Processor};
use crate::reply::{Received, Reply};
use crate::router::{CloseAll, CutAll, Router};

/// The handle through which connections reach the actors. Clones share it.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    limits: Arc<Limits>,
    metrics: Arc<Metrics>,
    // One shared address per actor, never cloned: each clone adds a slot to the mailbox, and with a clone per message
    // there would be no bound.
    router: Arc<Addr<Router>>,
    processor: Arc<Addr<Processor>>,
    ingress: Arc<Ingress>,
    connections: AtomicU64,
    work: TaskTracker,
    draining: AtomicBool,
}

impl Hub {
    /// Creates a hub without connections. They should live on the arbiter of the router and the processor, because a
    /// message inside an arbiter costs a fraction of one to another arbiter.
    pub(crate) fn new(
        limits: Arc<Limits>,
        metrics: Arc<Metrics>,
        router: Arc<Addr<Router>>,
        processor: Arc<Addr<Processor>>,
    ) -> Self {
        Self(Arc::new(Inner {
            ingress: Arc::new(Ingress::new(&limits)),
            limits,
            metrics,
            router,
            processor,
            connections: AtomicU64::new(0),
            work: TaskTracker::new(),
            draining: AtomicBool::new(false),
        }))
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// What is counted.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    /// Whether new work is refused (`/readyz`).
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    /// Refuses new work, and waits until all requests in flight are answered. There is no time limit; the caller sets
    /// one.
    pub async fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
        if self.0.processor.send(Drain).await.is_err() {
            log::error!("the processor ended before the drain");
        }
        self.0.work.close();
        self.0.work.wait().await;
    }

    /// Closes every connection (1001 on a WebSocket) and waits until all have ended. Those that are left after `grace`
    /// are disconnected.
    pub async fn close_connections(&self, grace: Duration) {
        if tokio::time::timeout(grace, self.0.router.send(CloseAll)).await.is_err()
            && self.0.router.send(CutAll).await.is_err()
        {
            log::error!("the router ended before its connections");
        }
    }

    pub(crate) fn next_connection_id(&self) -> ConnectionId {
        ConnectionId(self.0.connections.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn ingress(&self) -> &Arc<Ingress> {
        &self.0.ingress
    }

    /// What a drain waits for.
    pub(crate) fn work(&self) -> &TaskTracker {
        &self.0.work
    }

    pub(crate) fn router(&self) -> &Arc<Addr<Router>> {
        &self.0.router
    }

    pub(crate) fn processor(&self) -> &Arc<Addr<Processor>> {
        &self.0.processor
    }

    pub(crate) fn reply(&self, connection: ConnectionId, received: Received, in_flight: InFlight) -> Reply {
        Reply::new(connection, received, in_flight, self.0.router.clone(), self.0.work.token())
    }
}
