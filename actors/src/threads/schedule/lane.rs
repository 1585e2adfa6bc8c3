//! The requests about one thread.

use std::collections::VecDeque;

use super::{Kind, Ticket};

/// Undecided requests about one thread, in order of arrival.
pub(super) struct Lane<R, D> {
    waiting: VecDeque<(Ticket, R)>,
    /// Number of reads in progress.
    looks: usize,
    /// Writes in progress, oldest first. A decision waits here for the earlier ones.
    writes: VecDeque<(Ticket, Option<D>)>,
    /// Writes that have left [`Self::writes`] and are not decided.
    late_writes: usize,
    /// Whether a change is in progress.
    changes: bool,
}

impl<R, D> Default for Lane<R, D> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), looks: 0, writes: VecDeque::new(), late_writes: 0, changes: false }
    }
}

impl<R, D> Lane<R, D> {
    pub(super) fn push(&mut self, ticket: Ticket, request: R) {
        self.waiting.push_back((ticket, request));
    }

    /// The request that is next to have its turn.
    pub(super) fn head(&self) -> Option<Ticket> {
        self.waiting.front().map(|(ticket, _)| *ticket)
    }

    /// The request at the head, if its turn has come. `owed`: its client still waits for answers to requests before it.
    pub(super) fn begin(&mut self, owed: bool) -> Option<(Ticket, R)> {
        let writes = self.writes.len() + self.late_writes;
        let kind = self.waiting.front()?.0.kind;
        let may_begin = match kind {
            Kind::Look | Kind::Create => writes == 0 && !self.changes,
            Kind::Write => self.looks == 0 && !self.changes,
            Kind::Change => self.looks == 0 && writes == 0 && !self.changes && !owed,
        };
        if !may_begin {
            return None;
        }
        let (ticket, request) = self.waiting.pop_front()?;
        match kind {
            Kind::Look | Kind::Create => self.looks += 1,
            Kind::Write => self.writes.push_back((ticket, None)),
            Kind::Change => self.changes = true,
        }
        Some((ticket, request))
    }

    /// The database has done a write. What may be decided now: what everybody is told last of a thread must be what the
    /// database did last.
    pub(super) fn written(&mut self, ticket: Ticket, decision: D) -> Vec<(Ticket, D)> {
        if let Ok(index) = self.writes.binary_search_by_key(&ticket.number, |(ticket, _)| ticket.number) {
            self.writes[index].1 = Some(decision);
        }
        let mut done = Vec::new();
        while let Some(decision) = self.writes.front_mut().and_then(|(_, decision)| decision.take()) {
            if let Some((ticket, _)) = self.writes.pop_front() {
                self.late_writes += 1;
                done.push((ticket, decision));
            }
        }
        done
    }

    pub(super) fn decided(&mut self, ticket: &Ticket) {
        match ticket.kind {
            Kind::Look | Kind::Create => self.looks -= 1,
            Kind::Write => self.late_writes -= 1,
            Kind::Change => self.changes = false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let nobody_has_a_turn = self.looks == 0 && self.writes.is_empty() && self.late_writes == 0 && !self.changes;
        nobody_has_a_turn && self.waiting.is_empty()
    }
}
