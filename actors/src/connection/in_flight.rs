//! One request in flight, as its connection counts it.

use std::sync::Arc;

use super::brake::Brake;
use super::ingress::Room;
use crate::protocol::Weight;

/// Counted by the connection's brake from its admission until this is dropped: with the answer, when the connection has
/// it in hand, and also when answer or connection are lost on the way. So no count ever stays behind.
#[derive(Debug)]
pub struct InFlight {
    brake: Arc<Brake>,
    weight: Weight,
    /// Bytes of its text. What is made of it takes as much again, or twice (base64 that is decoded).
    bytes: usize,
    room: Option<Room>,
}

impl InFlight {
    pub(super) fn new(brake: Arc<Brake>, weight: Weight, bytes: usize, room: Option<Room>) -> Self {
        Self { brake, weight, bytes, room }
    }

    /// Of the connection that asked.
    pub(crate) fn brake(&self) -> &Brake {
        &self.brake
    }

    /// The request itself is no more, only its answer: others need not wait for its room until the peer takes that.
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
    /// A short request of a connection that nobody looks at.
    pub(crate) fn of_a_test() -> Self {
        use super::ingress::Ingress;
        use crate::limits::Limits;
        let limits = Limits::tiny();
        let brake = Brake::new(&limits, Arc::new(Ingress::new(&limits)), Arc::default());
        Arc::new(brake).admit(Weight::Short, 0, None).unwrap()
    }
}
