//! Opens connections from inside the process: for remote streams, in-process clients, and tests.

use actix_rt::Arbiter;
use tokio::io::DuplexStream;

use super::serve;
use crate::connection::ConnectionOrigin;
use crate::hub::Hub;
use crate::protocol::scope::Scopes;

/// A function that opens a connection of `hub` with these `scopes`: one JSON-RPC message per line, with a buffer of the
/// given size in each direction. It can be called on any thread; the connections live on the arbiter on which the
/// function was created.
///
/// # Panics
/// Panics outside an actix system.
pub fn opener(
    hub: &Hub,
    origin: ConnectionOrigin,
    scopes: Scopes,
) -> impl Fn(usize) -> DuplexStream + Send + Sync + use<> {
    let open = narrowing_opener(hub, origin, scopes);
    move |bytes| open(bytes, None)
}

/// Like [`opener`]; where a connection names scopes, it gets only those of `scopes` that are among them.
///
/// # Panics
/// Panics outside an actix system.
pub fn narrowing_opener(
    hub: &Hub,
    origin: ConnectionOrigin,
    scopes: Scopes,
) -> impl Fn(usize, Option<Scopes>) -> DuplexStream + Send + Sync + use<> {
    let (hub, arbiter) = (hub.clone(), Arbiter::current());
    move |bytes, named| {
        let scopes = named.map_or(scopes, |named| scopes.common(named));
        let (ours, theirs) = tokio::io::duplex(bytes);
        let hub = hub.clone();
        // A connection belongs to the thread of its arbiter, so it is created there.
        arbiter.spawn_fn(move || {
            actix_rt::spawn(async move {
                let (reader, writer) = tokio::io::split(theirs);
                serve(reader, writer, origin, scopes, &hub).await;
            });
        });
        ours
    }
}
