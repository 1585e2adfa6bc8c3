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
}

impl Revoked {
    /// Remembers up to `most` controllers.
    pub(super) fn new(most: usize) -> Self {
        Self { controllers: VecDeque::new(), most }
    }

    /// Adds a controller. Above the bound the one that was revoked first is forgotten.
    pub(super) fn add(&mut self, client: &str, confirmed: bool) {
        if let Some(known) = self.controllers.iter_mut().find(|it| *it.client == *client) {
            known.confirmed |= confirmed;
            return;
        }
        self.controllers.push_back(Controller { client: client.into(), confirmed });
        if self.controllers.len() > self.most {
            self.controllers.pop_front();
        }
    }

    pub(super) fn contains(&self, client: &str) -> bool {
        self.controllers.iter().any(|it| *it.client == *client)
    }

    /// Forgets those that the backend refuses by itself. What it has not confirmed stays revoked.
    pub(super) fn readmit(&mut self) {
        self.controllers.retain(|it| !it.confirmed);
    }
}
