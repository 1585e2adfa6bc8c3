//! What the router does when a timer of a peer is due. The timers run here because a peer's own actor may not be polled
//! (law 6).

use tokio::time::Instant;

use super::clocks::Due;
use super::peer::Cut;
use super::{Router, STOPPED};
use crate::connection::ConnectionId;
use crate::connection::messages::Deliver;
use crate::wire::close::CloseReason;

impl Router {
    /// Acts on the peers' timers. They run here because a peer's own actor may not be polled (law 6).
    pub(super) fn check_clocks(&mut self, now: Instant) {
        // If this process was stopped, what arrived meanwhile is still in the sockets and is read before the next check.
        let was_stopped = now.duration_since(self.checked) >= STOPPED && !std::mem::replace(&mut self.spared, true);
        self.checked = now;
        if was_stopped {
            return;
        }
        self.spared = false;
        let limits = &self.limits;
        let due: Vec<(ConnectionId, Due)> =
            self.peers.iter_mut().filter_map(|(id, peer)| Some((*id, peer.due(now, limits)?))).collect();
        for (id, due) in due {
            match due {
                Due::Ping => self.ping(id),
                Due::Close(reason) => self.close(id, reason),
                Due::Cut(cut) => self.cut(id, cut),
            }
        }
    }

    /// Text that waited for more, although its peer has caught up, goes out.
    pub(super) fn release_text(&mut self) {
        let Self { limits, clock, peers, .. } = self;
        let caught_up = peers.iter_mut().filter(|(_, peer)| peer.has_caught_up(limits));
        let cuts: Vec<(ConnectionId, Cut)> =
            caught_up.filter_map(|(id, peer)| Some((*id, peer.release(clock, limits).err()?))).collect();
        for (id, cut) in cuts {
            self.cut(id, cut);
        }
    }

    /// Closes the connections whose tokens have expired.
    pub(super) fn close_expired(&mut self) {
        let now = self.clock.steady_ms();
        let expired: Vec<ConnectionId> =
            self.peers.iter_mut().filter_map(|(id, peer)| peer.has_expired(now).then_some(*id)).collect();
        for id in expired {
            log::info!("the token of connection {id} has expired");
            self.close(id, CloseReason::TokenExpired);
        }
    }

    fn ping(&mut self, id: ConnectionId) {
        if let Some(peer) = self.peers.get(&id)
            && let Err(cut) = peer.send(Deliver::Ping)
        {
            self.cut(id, cut);
        }
    }

    pub(super) fn close(&mut self, id: ConnectionId, reason: CloseReason) {
        if let Some(peer) = self.peers.get_mut(&id)
            && let Err(cut) = peer.release(&self.clock, &self.limits).and_then(|()| peer.close(reason))
        {
            self.cut(id, cut);
        }
    }
}
