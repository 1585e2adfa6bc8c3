//! What is run, one file a scenario.

mod churn;
mod deaf;
mod drain;
mod fairness;
mod idle;
mod in_flight;
mod slow;
mod tool;
mod unread;

use crate::report::Finding;
use crate::{Result, Size};

/// Runs and tells what it found.
pub type Scenario = fn(&Size) -> Result<Vec<Finding>>;

const SCENARIOS: [(&str, Scenario); 11] = [
    ("tool", tool::run),
    ("fairness", fairness::one_flooder),
    ("floods", fairness::eight_flooders),
    ("deaf", deaf::run),
    ("slow", slow::run),
    ("unread-stdout", unread::requests),
    ("unread-notifications", unread::notifications),
    ("in-flight", in_flight::run),
    ("idle", idle::run),
    ("churn", churn::run),
    ("drain", drain::run),
];

/// The scenarios whose name contains one of `only`; all of them when that is empty.
pub fn chosen(only: &[String]) -> Result<Vec<(&'static str, Scenario)>> {
    if let Some(unknown) = only.iter().find(|only| !SCENARIOS.iter().any(|(name, _)| name.contains(only.as_str()))) {
        let names = SCENARIOS.map(|(name, _)| name).join(", ");
        return Err(format!("no such scenario: {unknown}; there are {names}").into());
    }
    let is_wanted = |name: &str| only.is_empty() || only.iter().any(|part| name.contains(part.as_str()));
    Ok(SCENARIOS.into_iter().filter(|(name, _)| is_wanted(name)).collect())
}

/// The middle one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
