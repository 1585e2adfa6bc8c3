//! The actors that a server cannot do without: when one of them ends for good, the server ends too (law 7).

use std::sync::Arc;

use tokio::sync::watch;

/// Knows whether all vital actors of a server are alive. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Vitals(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Alive,
    /// The server ends, and its actors with it.
    Ending,
    /// The named actor has ended.
    Lost(&'static str),
}

/// Kept by a vital actor for as long as it lives.
#[derive(Debug)]
pub(crate) struct Vital {
    vitals: Vitals,
    name: &'static str,
}

impl Default for Vitals {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::Alive)))
    }
}

impl Vitals {
    /// Watches an actor, which is to keep what is returned. `name` is for people.
    pub(crate) fn watch(&self, name: &'static str) -> Vital {
        Vital { vitals: self.clone(), name }
    }

    /// The server is about to end: from now on its actors may end.
    pub fn expect_end(&self) {
        self.0.send_if_modified(|state| {
            let alive = *state == State::Alive;
            if alive {
                *state = State::Ending;
            }
            alive
        });
    }

    /// The name of the vital actor that has ended first, if one has.
    pub fn lost(&self) -> Option<&'static str> {
        match *self.0.borrow() {
            State::Lost(name) => Some(name),
            State::Alive | State::Ending => None,
        }
    }

    /// Returns when a vital actor has ended, with its name.
    pub async fn ended(&self) -> &'static str {
        let mut state = self.0.subscribe();
        loop {
            if let Some(name) = self.lost() {
                return name;
            }
            // The sender lives as long as this does.
            if state.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Vital {
    fn drop(&mut self) {
        let name = self.name;
        self.vitals.0.send_if_modified(|state| {
            let alive = *state == State::Alive;
            if alive {
                *state = State::Lost(name);
                log::error!("the actor {name} has ended, and the server cannot run without it");
            }
            alive
        });
    }
}
