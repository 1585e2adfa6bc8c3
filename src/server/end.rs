//! The end of a server in good order: each step has a time limit.

use actix::Addr;
use app_server_actors::{
    start::Actors,
    store::{Close, Store},
};
use tokio::time::timeout;

use crate::settings::Shutdown;

/// The actors' part of the shutdown.
pub(crate) async fn end_in_good_order(actors: &Actors, limits: &Shutdown) {
    actors.expect_end();
    let hub = actors.hub();
    log::info!("draining: new work is refused");
    if timeout(limits.drain_seconds.duration(), hub.drain()).await.is_err() {
        log::warn!("work is still running after {} and is ended", limits.drain_seconds);
    }
    if timeout(limits.close_seconds.duration(), actors.end_turns()).await.is_err() {
        log::warn!("some turns did not end in time; the next start reads them as interrupted");
    }
    if timeout(hub.limits().command_grace_seconds.duration() + limits.close_seconds.duration(), actors.end_commands())
        .await
        .is_err()
    {
        log::warn!("some commands did not end in time; they end with this process");
    }
    hub.close_connections(limits.close_seconds.duration()).await;
    // Twice, because the socket is dropped after the last messages.
    if timeout(2 * limits.close_seconds.duration(), actors.end_remote_control(limits.close_seconds.duration()))
        .await
        .is_err()
    {
        log::warn!("the connection to the remote-control backend did not end in time; it ends with this process");
    }
}

/// The last step of an end: nobody asks the store any more.
pub(crate) async fn close_store(store: &Addr<Store>, limits: &Shutdown) {
    if timeout(limits.close_seconds.duration(), store.send(Close)).await.is_err() {
        log::warn!("the thread database is still being written; it is whole all the same");
    }
}
