//! The rate limits of the account, as the answers of models state them.

use std::collections::BTreeMap;

use super::{Credentials, lock};
use crate::protocol::account::RateLimitSnapshot;

/// Limits of one account that are remembered.
const MOST: usize = 16;

/// What the answers to one account have stated.
#[derive(Debug, Default)]
pub struct SeenLimits {
    account_id: Option<String>,
    by_id: BTreeMap<String, RateLimitSnapshot>,
}

impl Credentials {
    /// Remembers what an answer to `account_id` has stated. What another account's said is forgotten.
    pub fn saw_limits(&self, account_id: Option<&str>, limits: &[RateLimitSnapshot]) {
        if limits.is_empty() {
            return;
        }
        let mut seen = lock(&self.limits);
        if seen.account_id.as_deref() != account_id {
            *seen = SeenLimits { account_id: account_id.map(str::to_owned), by_id: BTreeMap::new() };
        }
        for limit in limits {
            let Some(id) = limit.limit_id.clone() else { continue };
            if seen.by_id.len() < MOST || seen.by_id.contains_key(&id) {
                let before = seen.by_id.remove(&id).unwrap_or_default();
                // An answer that says nothing of credits does not take them away.
                let credits = limit.credits.clone().or(before.credits);
                seen.by_id.insert(id, RateLimitSnapshot { credits, ..limit.clone() });
            }
        }
    }

    /// What the answers to `account_id` have stated last, by the ids of the limits.
    pub fn limits_of(&self, account_id: Option<&str>) -> BTreeMap<String, RateLimitSnapshot> {
        let seen = lock(&self.limits);
        if seen.account_id.as_deref() == account_id { seen.by_id.clone() } else { BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn each_account_has_its_own_limits_and_a_bounded_number() {
        let credentials = Credentials::new(Path::new("/nowhere"));
        let limit = |id: usize| RateLimitSnapshot { limit_id: Some(id.to_string()), ..RateLimitSnapshot::default() };
        let many: Vec<RateLimitSnapshot> = (0..2 * MOST).map(limit).collect();
        credentials.saw_limits(Some("ann"), &many);
        assert_eq!((credentials.limits_of(Some("ann")).len(), credentials.limits_of(Some("bob")).len()), (MOST, 0));
        credentials.saw_limits(Some("bob"), &many[..1]);
        assert_eq!((credentials.limits_of(Some("ann")).len(), credentials.limits_of(Some("bob")).len()), (0, 1));
    }
}
