//! What waits for its place in the conversation: a bounded number of messages, wherever in the turn they are.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts the messages that wait for one turn. Clones share the count.
#[derive(Clone)]
pub(super) struct WaitingRoom(Arc<Semaphore>);

/// A message that waits. It counts until it is taken out.
pub(super) struct Waiting<T> {
    message: T,
    _place: OwnedSemaphorePermit,
}

impl WaitingRoom {
    /// Room for so many messages.
    pub(super) fn new(messages: usize) -> Self {
        Self(Arc::new(Semaphore::new(messages)))
    }

    /// Lets a message wait; it comes back where there is no room.
    pub(super) fn admit<T>(&self, message: T) -> Result<Waiting<T>, T> {
        match self.0.clone().try_acquire_owned() {
            Ok(_place) => Ok(Waiting { message, _place }),
            Err(_) => Err(message),
        }
    }
}

impl<T> Waiting<T> {
    /// The message, which waits no more.
    pub(super) fn take(self) -> T {
        self.message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_its_place_until_it_is_taken() {
        let room = WaitingRoom::new(1);
        let first = room.admit("first").ok().unwrap();
        assert_eq!(room.clone().admit("second").err(), Some("second"));
        assert_eq!(first.take(), "first");
        assert!(room.admit("third").is_ok());
    }
}
