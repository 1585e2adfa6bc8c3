//! What the router does when a timer of a peer is due. The timers run here because a peer's own actor may not be polled
//! (law 6). They tick only while there are peers, and until what was used is given back, so that an idle server sleeps.

use std::time::Duration;

use actix::prelude::AsyncContext;
use tokio::time::Instant;

use super::clocks::Due;
use super::peer::Cut;
use super::{Router, memory};
use crate::connection::ConnectionId;
use crate::connection::messages::Deliver;
use crate::context::Context;
use crate::wire::close::CloseReason;

/// Interval between checks of the peers' timers and tokens.
const TICK: Duration = Duration::from_secs(1);

/// A check that comes so long after the last one comes after a stop of this process.
const STOPPED: Duration = Duration::from_millis(1500);

impl Router {
    /// Starts the ticks, unless they are running.
    pub(super) fn tick_on(&mut self, ctx: &mut Context<Self>) {
        if self.ticking.is_none() {
            self.checked = Instant::now();
            self.ticking = Some((ctx.run_interval(TICK, Self::tick), 0));
        }
    }

    fn tick(&mut self, ctx: &mut Context<Self>) {
        let now = Instant::now();
        // The library makes up for ticks that were missed in a stop, one right after the other, before anything is read.
        if now.duration_since(self.checked) < TICK / 2 {
            return;
        }
        self.check_clocks(now);
        self.close_expired();
        self.release_text();
        let Some((ticks, count)) = &mut self.ticking else { return };
        *count += 1;
        if *count % memory::EVERY != 0 {
            return;
        }
        self.peers.values().for_each(|peer| self.freed.look_at(peer.outbound()));
        self.freed.give_back();
        self.work.give_back();
        if self.peers.is_empty() && self.freed.is_settled() && self.work.is_settled() {
            ctx.cancel_future(*ticks);
            self.ticking = None;
        }
    }

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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix::prelude::*;
    use tokio::time::{pause, sleep};

    use super::*;
    use crate::clock::Clock;
    use crate::limits::Limits;
    use crate::router::listener::listen;
    use crate::router::memory::Work;
    use crate::router::{Effect, Outcome};

    /// Asks how many times the router has ticked since its first connection came.
    #[derive(Message)]
    #[rtype(result = "Option<u64>")]
    struct Ticks;

    impl Handler<Ticks> for Router {
        type Result = Option<u64>;

        fn handle(&mut self, _: Ticks, _: &mut Self::Context) -> Self::Result {
            self.ticking.map(|(_, count)| count)
        }
    }

    #[actix_rt::test]
    async fn the_timers_tick_only_while_there_are_connections() {
        pause();
        let mut router = Router::new(Arc::new(Limits::tiny()), Arc::default(), Clock::system());
        // Other tests work in this process, too.
        router.work = Work::seen_by(|| 0);
        let router = router.start();
        sleep(4 * TICK).await;
        for id in [1, 2].map(ConnectionId) {
            assert_eq!(router.send(Ticks).await.unwrap(), None);
            let _frames = listen(&router, id).await;
            sleep(9 * TICK + TICK / 2).await;
            assert_eq!(router.send(Ticks).await.unwrap(), Some(9));
            router.send(Outcome::none().then(Effect::Forget { connection: id })).await.unwrap();
            assert_eq!(router.send(Ticks).await.unwrap(), Some(9), "its memory is still to be given back");
            sleep(3 * TICK).await;
        }
        assert_eq!(router.send(Ticks).await.unwrap(), None);
    }
}
