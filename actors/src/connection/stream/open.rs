//! Opening a connection from inside the process: for remote streams, for clients in the same program, for tests.

use actix_rt::Arbiter;
use tokio::io::DuplexStream;

use super::serve;
use crate::connection::ConnectionOrigin;
use crate::hub::Hub;

/// A function that opens a connection of `hub`: one JSON-RPC message a line, both ways, with as many bytes of room each
/// way as it is told. It can be called on any thread; the connections live on the arbiter of the calling one.
///
/// # Panics
/// Panics outside an actix system.
pub fn opener(hub: &Hub, origin: ConnectionOrigin) -> impl Fn(usize) -> DuplexStream + Send + Sync + use<> {
    let (hub, arbiter) = (hub.clone(), Arbiter::current());
    move |bytes| {
        let (ours, theirs) = tokio::io::duplex(bytes);
        let hub = hub.clone();
        // A connection belongs to the thread of its arbiter, so it is created there.
        arbiter.spawn_fn(move || {
            actix_rt::spawn(async move {
                let (reader, writer) = tokio::io::split(theirs);
                serve(reader, writer, origin, &hub).await;
            });
        });
        ours
    }
}
