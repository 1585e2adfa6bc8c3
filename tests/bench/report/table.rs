//! The report as a table for a terminal.

use std::io::{self, Write};

use super::Report;
use super::figure::{Figure, Goal};
use crate::process::Contestant;

/// Figure, the contestants with their extremes, how many times the others ours is, and the goal.
const HEAD: [&str; 9] = ["figure", "ours", "floor", "echo", "reference", "× floor", "× echo", "goal", ""];

/// Writes the table of `report` to `out`.
pub fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(report.figures.iter().map(row));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; HEAD.len()] = std::array::from_fn(width);
    writeln!(out, "\n{}: {}", report.program, report.conditions())?;
    if report.machine.is_busy() {
        writeln!(out, "This machine was busy: expect long tails and low rates, of all three.")?;
    }
    writeln!(out)?;
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    let judged = report.figures.iter().filter_map(|figure| figure.met);
    let (met, all) = judged.fold((0, 0), |(met, all), good| (met + usize::from(good), all + 1));
    writeln!(
        out,
        "\n{met} of {all} goals met. In brackets: least–greatest round. Floor: a bare socket or pipe, if the name says nothing else; echo: bare actix-web-actors."
    )
}

fn row(figure: &Figure) -> [String; 9] {
    let value = |who| match figure.spread(who) {
        Some(spread) => {
            let [least, greatest] = [spread.least, spread.greatest].map(|value| figure.unit.number(value));
            format!("{} ({least}–{greatest})", figure.unit.text(spread.median))
        }
        None => "–".to_owned(),
    };
    let ratio = |who| figure.ratio(who).map_or("–".to_owned(), |ratio| format!("{:.2}", ratio.median));
    let goals: Vec<_> = figure.goals.iter().map(|goal: &Goal| goal.text(figure.unit)).collect();
    let verdict = match figure.met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "",
    };
    [
        figure.name.clone(),
        value(Contestant::Ours),
        value(Contestant::Floor),
        value(Contestant::Echo),
        value(Contestant::Reference),
        ratio(Contestant::Floor),
        ratio(Contestant::Echo),
        goals.join(", "),
        verdict.to_owned(),
    ]
}
