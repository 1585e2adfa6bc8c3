//! A request in flight, as counted by its connection.

use std::sync::Arc;

use super::brake::Brake;
use super::ingress::Room;
use crate::protocol::Weight;

/// A guard: the brake counts the request from its admission until this value is dropped. That happens when the
/// connection receives the answer, and also if the answer or the connection is lost, so no count is left behind.
#[derive(Debug)]
pub struct InFlight {
    brake: Arc<Brake>,
    weight: Weight,
    /// Size of the request's text. Its decoded form takes as much again, or twice as much (decoded base64).
    bytes: usize,
    room: Option<Room>,
}

impl InFlight {
    pub(super) fn new(brake: Arc<Brake>, weight: Weight, bytes: usize, room: Option<Room>) -> Self {
        Self { brake, weight, bytes, room }
    }

    /// The brake of the connection.
    pub(crate) fn brake(&self) -> &Brake {
        &self.brake
    }

    /// The same, for whoever outlives the request.
    pub(crate) fn shared_brake(&self) -> Arc<Brake> {
        self.brake.clone()
    }

    /// The request has been answered: gives back its share of bytes, so that other requests need not wait until the
    /// peer has read the answer.
    pub fn answered(&mut self) {
        self.room = None;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.brake.settle(self.weight, self.bytes);
    }
}

#[cfg(test)]
impl InFlight {
    /// A short request of a connection of its own.
    pub(crate) fn of_a_test() -> Self {
        use super::ingress::Ingress;
        use crate::limits::Limits;
        use crate::metrics::requests::Meter;
        let limits = Limits::tiny();
        let brake = Brake::new(&limits, Meter::of_a_test(), Arc::new(Ingress::new(&limits)), Arc::default());
        Arc::new(brake).admit(Weight::Short, 0, None).unwrap()
    }
}
