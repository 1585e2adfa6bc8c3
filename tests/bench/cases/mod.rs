//! What is measured, one file a case.

mod command_output;
mod commands;
mod fan_out;
mod memory;
mod pipeline;
mod proxy;
mod remote;
mod resume;
mod round_trip;
mod search;
mod stalled_peer;
mod start;
mod turns;

use crate::Result;
use crate::plan::Plan;
use crate::report::Figure;

/// Measures and gives its figures.
pub type Case = fn(&Plan) -> Result<Vec<Figure>>;

const CASES: [(&str, Case); 13] = [
    ("round-trip", round_trip::run),
    ("pipeline", pipeline::run),
    ("fan-out", fan_out::run),
    ("start", start::run),
    ("memory", memory::run),
    ("stalled-peer", stalled_peer::run),
    ("commands", commands::run),
    ("command-output", command_output::run),
    ("turns", turns::run),
    ("resume", resume::run),
    ("search", search::run),
    ("proxy", proxy::run),
    ("remote", remote::run),
];

/// The cases whose name contains one of `only`; all of them when that is empty.
pub fn chosen(only: &[String]) -> Result<Vec<(&'static str, Case)>> {
    let is_wanted = |name: &str| only.is_empty() || only.iter().any(|part| name.contains(part.as_str()));
    let cases: Vec<_> = CASES.into_iter().filter(|(name, _)| is_wanted(name)).collect();
    if cases.is_empty() {
        return Err(format!("no such case; there are {}", CASES.map(|(name, _)| name).join(", ")).into());
    }
    Ok(cases)
}
