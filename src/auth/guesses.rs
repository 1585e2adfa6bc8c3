//! The limit on wrong tokens. Without it a short token could be guessed.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock, Reference as _},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

use super::{Denial, PeerNetwork};

/// Number of peers whose failures are remembered: about 1 MiB. Limits per address do not stop an attacker with more
/// addresses.
const MAX_PEERS: usize = 10_000;

/// Counts the failed attempts of each peer. An attempt is counted before it is checked, and uncounted if it succeeds. A
/// peer above the limit is not checked at all, so it cannot distinguish a right guess from a wrong one.
pub struct Guesses<C: Clock = MonotonicClock> {
    quota: Quota,
    clock: C,
    peers: Mutex<HashMap<PeerNetwork, Attempts<C>>>,
}

struct Attempts<C: Clock> {
    limiter: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
    last: C::Instant,
}

impl<C: Clock + Clone> Guesses<C> {
    /// Creates a limit of `quota` for each peer.
    pub fn new(quota: Quota, clock: C) -> Self {
        Self { quota, clock, peers: Mutex::default() }
    }

    /// Lets `judge` decide about an attempt of `peer`, or refuses to. A peer that has nothing left is let in all the
    /// same by something right that nobody finds by trying: else strangers who share its address could lock it out.
    pub fn attempt<T>(
        &self,
        peer: PeerNetwork,
        can_be_guessed: bool,
        judge: impl FnOnce() -> Result<T, Denial>,
    ) -> Result<T, Denial> {
        let now = self.clock.now();
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if peers.len() >= MAX_PEERS && !peers.contains_key(&peer) {
            self.make_room(&mut peers, now);
        }
        let attempts = peers.entry(peer).or_insert_with(|| Attempts {
            limiter: RateLimiter::direct_with_clock(self.quota, self.clock.clone()),
            last: now,
        });
        if let Err(until) = attempts.limiter.check() {
            let wait = until.wait_time_from(now);
            let retry_after_seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let passed = if can_be_guessed { None } else { judge().ok() };
            return passed.ok_or(Denial::TooManyFailures { retry_after_seconds });
        }
        attempts.last = now;
        let judged = judge();
        if judged.is_ok() {
            peers.remove(&peer);
        }
        judged
    }

    /// Forgets the peers whose allowance is restored, or else the one that has been quiet for longest.
    fn make_room(&self, peers: &mut HashMap<PeerNetwork, Attempts<C>>, now: C::Instant) {
        let whole_again = self.quota.burst_size_replenished_in();
        peers.retain(|_, attempts| Duration::from(now.duration_since(attempts.last)) < whole_again);
        if peers.len() >= MAX_PEERS
            && let Some(quietest) = peers.iter().min_by_key(|(_, attempts)| attempts.last).map(|(peer, _)| *peer)
        {
            peers.remove(&quietest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{IpAddr, Ipv4Addr},
        num::NonZeroU32,
    };

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn peer(number: u32) -> PeerNetwork {
        PeerNetwork::of(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    /// Three at once, and one more every 20 seconds.
    fn guesses() -> (Guesses<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let three = NonZeroU32::new(3).unwrap();
        (Guesses::new(Quota::per_minute(three).allow_burst(three), clock.clone()), clock)
    }

    fn fail(guesses: &Guesses<FakeRelativeClock>, number: u32) -> Denial {
        guesses.attempt::<()>(peer(number), true, || Err(Denial::BadToken)).unwrap_err()
    }

    const WAIT_20: Denial = Denial::TooManyFailures { retry_after_seconds: 20 };

    #[test]
    fn a_peer_that_fails_too_often_is_not_judged_until_it_has_waited() {
        let (guesses, clock) = guesses();
        for _ in 0..3 {
            assert_eq!(fail(&guesses, 1), Denial::BadToken);
        }
        let right = guesses.attempt(peer(1), true, || -> Result<(), Denial> { panic!("must not be judged") });
        assert_eq!(right, Err(WAIT_20), "even the right token is not looked at");
        clock.advance(Duration::from_millis(19_001));
        assert_eq!(fail(&guesses, 1), Denial::TooManyFailures { retry_after_seconds: 1 });
        clock.advance(Duration::from_secs(1));
        assert_eq!(fail(&guesses, 1), Denial::BadToken);
        assert!(matches!(fail(&guesses, 1), Denial::TooManyFailures { .. }));
    }

    #[test]
    fn what_cannot_be_guessed_lets_a_peer_in_that_has_nothing_left() {
        let (guesses, _) = guesses();
        while fail(&guesses, 1) == Denial::BadToken {}
        assert_eq!(guesses.attempt(peer(1), false, || Ok(7)), Ok(7));
        assert_eq!(guesses.attempt::<()>(peer(1), false, || Err(Denial::BadToken)), Err(WAIT_20));
        assert_eq!(fail(&guesses, 1), WAIT_20, "it forgives nothing");
    }

    #[test]
    fn others_are_judged_all_the_same() {
        let (guesses, _) = guesses();
        while fail(&guesses, 1) == Denial::BadToken {}
        assert_eq!(fail(&guesses, 2), Denial::BadToken);
        assert_eq!(guesses.attempt(peer(3), true, || Ok(7)), Ok(7));
    }

    #[test]
    fn success_costs_nothing_and_clears_what_came_before() {
        let (guesses, _) = guesses();
        for _ in 0..100 {
            guesses.attempt(peer(1), true, || Ok(())).unwrap();
        }
        fail(&guesses, 1);
        fail(&guesses, 1);
        guesses.attempt(peer(1), true, || Ok(())).unwrap();
        for _ in 0..3 {
            assert_eq!(fail(&guesses, 1), Denial::BadToken);
        }
    }

    #[test]
    fn the_memory_for_peers_is_bounded() {
        let (guesses, clock) = guesses();
        let count = |guesses: &Guesses<_>| guesses.peers.lock().unwrap().len();
        for number in 0..u32::try_from(MAX_PEERS).unwrap() {
            fail(&guesses, number);
        }
        fail(&guesses, u32::MAX);
        assert_eq!(count(&guesses), MAX_PEERS);
        clock.advance(Duration::from_secs(61));
        fail(&guesses, u32::MAX - 1);
        assert_eq!(count(&guesses), 1, "the others have their allowance back");
    }
}
