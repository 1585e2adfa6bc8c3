//! Diffs, for people and clients.

use std::time::{Duration, Instant};

use sha1::{Digest, Sha1};
use similar::TextDiff;

/// How long the shortest diffs of all files of a patch may be looked for. After it what is left is shown as removed and
/// added.
const PATIENCE: Duration = Duration::from_millis(200);

/// Lines around a change.
const CONTEXT: usize = 3;

/// When to stop looking for the shortest diffs.
pub(super) fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

/// The changed lines in unified hunks.
pub(super) fn hunks(old: &str, new: &str, deadline: Instant) -> String {
    let lines = |text| str::split_inclusive(text, '\n').collect::<Vec<_>>();
    let mut config = TextDiff::configure();
    let diff = config.deadline(deadline).newline_terminated(true).diff_slices(&lines(old), &lines(new));
    diff.unified_diff().context_radius(CONTEXT).to_string()
}

/// The id that git gives to a content, as 40 hexadecimal digits.
pub(super) fn blob(content: &[u8]) -> String {
    let header = format!("blob {}\0", content.len());
    hex(&Sha1::new().chain_update(header).chain_update(content).finalize())
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
