//! Pings of controllers, and who gets an answer.

use tokio::time::Instant;

use super::{Pipe, Session, StreamKey};
use crate::protocol::remote::PongStatus;

impl<P: Pipe> Session<P> {
    pub(super) fn ping(&mut self, key: &StreamKey, now: Instant) {
        if let Some(stream) = self.streams.get_mut(key) {
            stream.heard = now;
            stream.owes_pong = true;
            self.pay_pongs(now);
        } else if self.sealed.heard(key, now) {
            // It is about to open a connection.
            self.outbound.pong(key, PongStatus::Active, now);
        } else if !(self.may_be_told(&key.client) && self.outbound.pong(key, PongStatus::Unknown, now)) {
            log::info!("a ping for an unknown remote stream is ignored");
        }
    }

    /// Whether a controller gets an answer. A revoked one that acknowledges none gets only so many, so that it cannot
    /// use up the room of the others.
    pub(super) fn may_be_told(&self, client: &str) -> bool {
        !self.revoked.contains(client) || self.outbound.has_room_for_controller(client)
    }

    /// Answers pings for which there is room now; one pong answers several pings.
    pub(super) fn pay_pongs(&mut self, now: Instant) {
        for key in self.streams.debtors() {
            if self.outbound.pong(&key, PongStatus::Active, now)
                && let Some(stream) = self.streams.get_mut(&key)
            {
                stream.owes_pong = false;
            }
        }
    }
}
