//! The numbers that settings may have.

use std::ops::RangeInclusive;

/// The largest number of all settings but [`AT_MOST`].
const LARGEST: i64 = u32::MAX as i64;

/// Settings for which 0 has a meaning of its own. To others it would mean "unbounded" (queues) or "never" (timers).
const MAY_BE_ZERO: [&str; 9] = [
    "limits.command_shm_bytes",
    "limits.command_processes",
    "limits.command_memory_bytes",
    "sign_in.port",
    "sign_in.fallback_port",
    "turns.approval_seconds",
    "turns.changes_milliseconds",
    "relay.local_port",
    "relay.push_pause_seconds",
];

/// Settings whose largest number is decided by what uses them: actix has no more workers and no larger buffer for a head, the
/// JSON parser gives up at its own bound, TCP has no more ports, and browsers believe no certificate that lives longer.
pub(super) const AT_MOST: [(&str, i64); 7] = [
    ("http.workers", 512),
    ("http.request_head_bytes", 131_072),
    ("limits.json_nesting_levels", 128),
    ("sign_in.port", 65_535),
    ("sign_in.fallback_port", 65_535),
    ("relay.local_port", 65_535),
    ("relay.certificate_days", 398),
];

/// The numbers that the setting `key` may have.
pub(super) fn range(key: &str) -> RangeInclusive<i64> {
    let least = i64::from(!MAY_BE_ZERO.contains(&key));
    let most = AT_MOST.iter().find(|(name, _)| *name == key).map_or(LARGEST, |(_, most)| *most);
    least..=most
}
