//! Opens connections of the hub for remote streams.

use std::sync::{Arc, OnceLock};

use actix_rt::ArbiterHandle;
use tokio::io::DuplexStream;

use crate::connection::{ConnectionOrigin, stream};
use crate::hub::Hub;

/// Opens connections on the hub's arbiter, where every connection lives. Made before the hub, whose processor must know
/// remote control, and connected when the hub is there. Cloning shares it.
#[derive(Clone, Default)]
pub struct StreamPort(Arc<OnceLock<(Hub, ArbiterHandle)>>);

impl StreamPort {
    /// A port that leads nowhere yet: what is opened ends at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leads to `hub` from now on, whose arbiter is the calling one. Only the first call counts.
    ///
    /// # Panics
    /// Panics outside an actix system.
    pub fn connect(&self, hub: Hub) {
        if self.0.set((hub, actix_rt::Arbiter::current())).is_err() {
            log::error!("the port for remote streams leads to a hub already");
        }
    }

    /// Opens a connection: one JSON-RPC message a line, both ways, with `bytes` of room each way.
    pub(super) fn open(&self, bytes: usize) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(bytes);
        if let Some((hub, arbiter)) = self.0.get() {
            let hub = hub.clone();
            arbiter.spawn_fn(move || {
                actix_rt::spawn(async move {
                    let (reader, writer) = tokio::io::split(theirs);
                    stream::serve(reader, writer, ConnectionOrigin::RemoteControl, &hub).await;
                });
            });
        } else {
            log::error!("a remote stream has no hub to go to");
        }
        ours
    }
}
