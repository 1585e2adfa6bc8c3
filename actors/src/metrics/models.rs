//! Calls to models, by provider.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::durations::{Durations, WORK};
use crate::protocol::model::TokenUsage;

/// Providers that are counted apart. A configuration with more of them is hardly meant.
const MOST: usize = 32;

/// The label of all further providers.
const OTHERS: &str = "_others";

/// Characters of a provider's name in a label.
const NAME_CHARACTERS: usize = 64;

/// See the module's documentation. A call takes long, so a lock and a search by name do not matter here.
#[derive(Debug, Default)]
pub struct Models(Mutex<BTreeMap<String, Provider>>);

/// What was counted of one provider.
#[derive(Debug)]
pub struct Provider {
    /// Calls, by how they ended.
    pub ends: BTreeMap<&'static str, u64>,
    /// Attempts after one that failed.
    pub retries: u64,
    /// Tokens, by kind.
    pub tokens: BTreeMap<&'static str, u64>,
    /// From the request to the first piece of the answer.
    pub first: Durations,
}

impl Models {
    /// A call has ended: `answered`, `failed` or `stopped`.
    pub fn ended(&self, provider: &str, end: &'static str) {
        self.with(provider, |it| *it.ends.entry(end).or_default() += 1);
    }

    /// An attempt failed, and another follows.
    pub fn retried(&self, provider: &str) {
        self.with(provider, |it| it.retries += 1);
    }

    /// The first piece of an answer came this long after the request.
    pub fn began(&self, provider: &str, after: Duration) {
        self.with(provider, |it| it.first.record(after));
    }

    /// A call has cost these tokens.
    pub fn used(&self, provider: &str, usage: &TokenUsage) {
        let kinds = [
            ("input", usage.input),
            ("cached_input", usage.cached_input),
            ("output", usage.output),
            ("reasoning_output", usage.reasoning_output),
        ];
        self.with(provider, |it| {
            for (kind, tokens) in kinds {
                let total = it.tokens.entry(kind).or_default();
                *total = total.saturating_add(tokens);
            }
        });
    }

    /// Calls `show` with every provider that was called.
    pub fn each(&self, mut show: impl FnMut(&str, &Provider)) {
        self.lock().iter().for_each(|(name, provider)| show(name, provider));
    }

    fn with(&self, provider: &str, change: impl FnOnce(&mut Provider)) {
        let mut providers = self.lock();
        let name = label(provider);
        let name = if providers.contains_key(&name) || providers.len() < MOST { name } else { OTHERS.to_owned() };
        change(providers.entry(name).or_insert_with(|| Provider {
            ends: BTreeMap::new(),
            retries: 0,
            tokens: BTreeMap::new(),
            first: Durations::new(WORK),
        }));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Provider>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a provider as a label: without what the format would have to quote.
fn label(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.:/ ".contains(c) { c } else { '_' };
    name.chars().take(NAME_CHARACTERS).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_with_many_providers_makes_no_more_labels_than_the_bound() {
        let models = Models::default();
        for number in 0..100 {
            models.ended(&format!("provider \"{number}\"\n"), "answered");
        }
        let (mut names, mut calls) = (Vec::new(), 0);
        models.each(|name, provider| {
            names.push(name.to_owned());
            calls += provider.ends["answered"];
        });
        assert_eq!((names.len(), calls), (MOST + 1, 100));
        assert!(names.iter().all(|name| !name.contains(['"', '\n', '\\'])), "{names:?}");
    }
}
