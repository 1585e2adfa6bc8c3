//! The revoked controllers. The link refuses them by itself, because the backend may not have heard of it yet.

use std::collections::VecDeque;

/// The controllers that were revoked last.
pub(super) struct Revoked {
    controllers: VecDeque<Controller>,
    most: usize,
}

struct Controller {
    client: Box<str>,
    /// Whether the backend refuses it, too, until it is paired anew.
    confirmed: bool,
    /// A pairing has started since it was revoked.
    pairing: bool,
}

impl Revoked {
    /// Remembers up to `most` controllers.
    pub(super) fn new(most: usize) -> Self {
        Self { controllers: VecDeque::new(), most }
    }

    /// Adds a controller. Above the bound the one that was revoked first is forgotten.
    pub(super) fn add(&mut self, client: &str) {
        if let Some(known) = self.controllers.iter_mut().find(|it| *it.client == *client) {
            known.pairing = false;
            return;
        }
        self.controllers.push_back(Controller { client: client.into(), confirmed: false, pairing: false });
        if self.controllers.len() > self.most {
            self.controllers.pop_front();
        }
    }

    /// The backend refuses the controller from now on. One that was accepted again meanwhile stays accepted: a slow
    /// confirmation says nothing about a pairing that is newer.
    pub(super) fn confirm(&mut self, client: &str) {
        self.controllers.iter_mut().filter(|it| *it.client == *client).for_each(|it| it.confirmed = true);
        self.forget();
    }

    /// Whether the controller is revoked, and the backend has confirmed that.
    pub(super) fn confirmed(&self, client: &str) -> Option<bool> {
        self.controllers.iter().find(|it| *it.client == *client).map(|it| it.confirmed)
    }

    pub(super) fn contains(&self, client: &str) -> bool {
        self.confirmed(client).is_some()
    }

    /// A pairing starts. Forgets those that the backend refuses by itself, and the others as soon as it does.
    pub(super) fn readmit(&mut self) {
        self.controllers.iter_mut().for_each(|it| it.pairing = true);
        self.forget();
    }

    fn forget(&mut self) {
        self.controllers.retain(|it| !(it.confirmed && it.pairing));
    }
}
