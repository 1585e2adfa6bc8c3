//! The figures of a run and what they are held against.

mod chart;
mod figure;
mod machine;
mod table;

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

pub use self::figure::{Figure, Goal, Unit};
use self::machine::Machine;
use crate::Result;
use crate::plan::Plan;

/// A run: the machine, how it was measured, and the figures.
#[derive(Serialize)]
pub struct Report {
    program: String,
    rounds: u32,
    quick: bool,
    machine: Machine,
    figures: Vec<Figure>,
    /// Cases that ended early, each with the reason.
    failures: Vec<String>,
}

impl Report {
    /// A report without figures yet.
    pub fn new(program: &Path, plan: &Plan) -> Self {
        Self {
            program: program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned(),
            rounds: plan.rounds,
            quick: plan.quick,
            machine: Machine::before_the_run(),
            figures: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Takes what came out of the case `name`.
    pub fn add(&mut self, name: &str, outcome: Result<Vec<Figure>>) {
        match outcome {
            Ok(figures) => self.figures.extend(figures),
            Err(error) => self.failures.push(format!("{name}: {error}")),
        }
    }

    /// All figures are there.
    pub fn finish(&mut self) {
        self.machine.after_the_run();
        self.figures.iter_mut().for_each(Figure::judge);
    }

    /// The table, for people.
    pub fn print(&self, out: &mut impl Write) -> Result<()> {
        Ok(table::write(self, out)?)
    }

    /// `goals.json` for programs and `goals.svg` for the README, in `folder`.
    pub fn save(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("goals.json"), serde_json::to_string_pretty(self)? + "\n")?;
        Ok(fs::write(folder.join("goals.svg"), chart::draw(self))?)
    }

    /// An error when a case failed. A missed goal is not one: it depends on the machine, and is there to be looked at.
    pub fn verdict(&self) -> Result<()> {
        if self.failures.is_empty() { Ok(()) } else { Err(self.failures.join("\n").into()) }
    }

    /// One line on how and where this was measured.
    fn conditions(&self) -> String {
        let quick = if self.quick { " (quick)" } else { "" };
        format!("{}; medians of {} rounds{quick}", self.machine, self.rounds)
    }
}
