//! What the scenarios found, and what it is held against.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::Result;
use crate::machine::Machine;

/// A run.
#[derive(Serialize)]
pub struct Report {
    brief: bool,
    machine: Machine,
    findings: Vec<Finding>,
    /// Scenarios that ended early, each with the reason.
    failures: Vec<String>,
}

/// One thing that a scenario found.
#[derive(Serialize)]
pub struct Finding {
    what: String,
    value: f64,
    unit: &'static str,
    goal: Option<Goal>,
    met: Option<bool>,
}

/// What a value should be, in its unit.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Finding {
    /// A value that tells something and has no goal.
    pub fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), value, unit, goal: None, met: None }
    }

    /// A number of things.
    pub fn count(what: impl Into<String>, value: usize) -> Self {
        Self::new(what, value as f64, "")
    }

    /// It should not be more.
    pub fn at_most(self, limit: f64) -> Self {
        Self { goal: Some(Goal::AtMost(limit)), met: Some(self.value <= limit), ..self }
    }

    /// It should not be less.
    pub fn at_least(self, limit: f64) -> Self {
        Self { goal: Some(Goal::AtLeast(limit)), met: Some(self.value >= limit), ..self }
    }

    fn row(&self) -> [String; 4] {
        let goal = match self.goal {
            Some(Goal::AtMost(limit)) => format!("≤ {}", show(limit, self.unit)),
            Some(Goal::AtLeast(limit)) => format!("≥ {}", show(limit, self.unit)),
            None => String::new(),
        };
        let met = self.met.map_or("", |met| if met { "met" } else { "MISSED" });
        [self.what.clone(), show(self.value, self.unit), goal, met.to_owned()]
    }
}

fn show(value: f64, unit: &str) -> String {
    let number = match value.abs() {
        100.0.. => format!("{value:.0}"),
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    format!("{number} {unit}").trim_end().to_owned()
}

impl Report {
    /// A report without findings yet.
    pub fn new(brief: bool) -> Self {
        Self { brief, machine: Machine::before_the_run(), findings: Vec::new(), failures: Vec::new() }
    }

    /// Takes what came out of the scenario `name`.
    pub fn add(&mut self, name: &str, outcome: Result<Vec<Finding>>) {
        match outcome {
            Ok(findings) => self.findings.extend(findings),
            Err(error) => self.failures.push(format!("{name}: {error}")),
        }
    }

    /// Everything was run.
    pub fn finish(&mut self) {
        self.machine.after_the_run();
    }

    /// The table, for people.
    pub fn print(&self, out: &mut impl Write) -> Result<()> {
        writeln!(out, "\n{}{}", self.machine, if self.brief { " (brief: the figures mean little)" } else { "" })?;
        if self.machine.is_busy() {
            writeln!(out, "This machine was busy: expect long tails.")?;
        }
        let mut rows = vec![["what", "figure", "goal", ""].map(str::to_owned)];
        rows.extend(self.findings.iter().map(Finding::row));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3].map(width);
        writeln!(out)?;
        for row in &rows {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        let met: Vec<bool> = self.findings.iter().filter_map(|finding| finding.met).collect();
        writeln!(out, "\n{} of {} goals met.", met.iter().filter(|met| **met).count(), met.len())?;
        Ok(())
    }

    /// `load.json`, beside what the benchmark writes.
    pub fn save(&self) -> Result<()> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join("load.json"), serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// An error when a scenario failed. A missed goal is not one: it depends on the machine, and is there to be looked
    /// at.
    pub fn verdict(&self) -> Result<()> {
        if self.failures.is_empty() { Ok(()) } else { Err(self.failures.join("\n").into()) }
    }
}
