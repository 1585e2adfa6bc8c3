//! The time from the moment at which the next server is ready to the end of this one.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use super::{
    error::HandOverError,
    successor::{HandedSocket, Next, Successor},
};

/// The next server while this one finishes its work, which can take minutes.
pub struct Handing {
    successor: Successor,
    next: RefCell<Option<Next>>,
    /// For another try, if that one ends before its time. Who connects meanwhile waits in their queues.
    sockets: RefCell<Vec<HandedSocket>>,
    patience: Duration,
    is_given_up: Cell<bool>,
}

impl Handing {
    /// Hands over to `next`; `sockets` are duplicates of what it has. Another start may take `patience`.
    pub fn to(next: Next, successor: &Successor, sockets: Vec<HandedSocket>, patience: Duration) -> Self {
        let (next, sockets) = (RefCell::new(Some(next)), RefCell::new(sockets));
        Self { successor: successor.clone(), next, sockets, patience, is_given_up: Cell::new(false) }
    }

    /// Whether a next server is there now. One that has ended meanwhile is started once more, and no more than that.
    pub async fn is_there(&self) -> bool {
        if self.is_given_up.get() {
            return false;
        }
        if self.next.borrow_mut().as_mut().is_some_and(Next::is_waiting) {
            return true;
        }
        log::error!("the next server has ended before it could take over; starting it once more");
        let again = self.successor.start(self.sockets.take(), self.patience).await;
        match again {
            Ok(next) if !self.is_given_up.get() => {
                log::info!("process {} takes over", next.id());
                self.next.replace(Some(next));
                true
            }
            Ok(_) => false,
            Err(error) => {
                log::error!("{error}; nobody takes over: start the server again");
                false
            }
        }
    }

    /// Nobody takes over: ends the next server.
    pub fn give_up(&self) {
        self.is_given_up.set(true);
        self.next.take();
    }

    /// Leaves everything to the next server. Returns its process id.
    ///
    /// # Errors
    /// There is none.
    pub fn take_over(&self) -> Result<u32, HandOverError> {
        let next = self.next.take().ok_or(HandOverError::Lost)?;
        let id = next.id();
        next.take_over().map(|()| id)
    }
}
