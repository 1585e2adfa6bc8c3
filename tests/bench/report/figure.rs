//! A figure: what was measured of each contestant, round by round, and the goals for it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::process::Contestant;

/// One thing that was measured.
#[derive(Serialize)]
pub struct Figure {
    /// What it is, for people.
    pub name: String,
    /// Of its values.
    pub unit: Unit,
    /// The rounds in three numbers; empty until [`Figure::judge`].
    pub summary: BTreeMap<Contestant, Spread>,
    /// One value a round. The rounds of all contestants were taken side by side, so values of a round can be compared.
    pub rounds: BTreeMap<Contestant, Vec<f64>>,
    /// What `ours` should be.
    pub goals: Vec<Goal>,
    /// Whether it is drawn: a chart of everything shows nothing.
    #[serde(skip)]
    pub in_chart: bool,
    /// Whether all goals are met; absent without goals, and until [`Figure::judge`].
    pub met: Option<bool>,
}

/// What `ours` should be.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Goal {
    /// Not more than this.
    AtMost(f64),
    /// Not less than this.
    AtLeast(f64),
    /// Not more than so many times the value of another.
    Within(f64, Contestant),
}

/// The unit of a figure, as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// Microseconds.
    #[serde(rename = "µs")]
    Micros,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millis,
    /// Events a second.
    #[serde(rename = "/s")]
    PerSecond,
    /// 10^6 bytes a second.
    #[serde(rename = "MB/s")]
    MegabytesPerSecond,
    /// 2^20 bytes.
    #[serde(rename = "MiB")]
    Mebibytes,
    /// 2^10 bytes.
    #[serde(rename = "KiB")]
    Kibibytes,
    /// Hundredths.
    #[serde(rename = "%")]
    Percent,
    /// A quotient.
    #[serde(rename = "×")]
    Times,
}

impl Figure {
    /// A figure without values.
    pub fn new(name: impl Into<String>, unit: Unit) -> Self {
        let (summary, rounds) = (BTreeMap::new(), BTreeMap::new());
        Self { name: name.into(), unit, summary, rounds, goals: Vec::new(), in_chart: false, met: None }
    }

    /// Sets what `ours` should be.
    pub fn goal(mut self, goal: Goal) -> Self {
        self.goals.push(goal);
        self
    }

    /// Has it drawn in the chart.
    pub fn in_chart(mut self) -> Self {
        self.in_chart = true;
        self
    }

    /// Takes the value of a round.
    pub fn record(&mut self, who: Contestant, value: f64) {
        self.rounds.entry(who).or_default().push(value);
    }

    /// The rounds of `who` in three numbers.
    pub fn spread(&self, who: Contestant) -> Option<Spread> {
        self.summary.get(&who).copied()
    }

    /// How many times the value of `other` ours is: of each round, since rounds are disturbed together.
    pub fn ratio(&self, other: Contestant) -> Option<Spread> {
        let pairs = self.rounds.get(&Contestant::Ours)?.iter().zip(self.rounds.get(&other)?);
        Spread::of(pairs.map(|(ours, other)| ours / other).collect())
    }

    /// The strictest of its goals, as a value in its unit.
    pub fn limit(&self) -> Option<f64> {
        let limits = self.goals.iter().filter_map(|goal| match *goal {
            Goal::AtMost(limit) | Goal::AtLeast(limit) => Some(limit),
            Goal::Within(times, other) => Some(times * self.spread(other)?.median),
        });
        limits.min_by(f64::total_cmp)
    }

    /// Sets `summary` and `met`: no more rounds will come.
    pub fn judge(&mut self) {
        let of = |(&who, values): (_, &Vec<f64>)| Some((who, Spread::of(values.clone())?));
        self.summary = self.rounds.iter().filter_map(of).collect();
        let met = |goal: &Goal| {
            let value = match goal {
                Goal::AtMost(_) | Goal::AtLeast(_) => self.spread(Contestant::Ours),
                Goal::Within(_, other) => self.ratio(*other),
            };
            value.is_some_and(|value| match *goal {
                Goal::AtMost(limit) | Goal::Within(limit, _) => value.median <= limit,
                Goal::AtLeast(limit) => value.median >= limit,
            })
        };
        self.met = (!self.goals.is_empty()).then(|| self.goals.iter().all(met));
    }
}

/// A median and the extremes around it.
#[derive(Clone, Copy, Serialize)]
pub struct Spread {
    /// Half of the values are not above it.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (&least, &greatest) = values.first().zip(values.last())?;
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Self { median: f64::midpoint(low, high), least, greatest })
    }
}

impl Goal {
    /// As it stands in the table.
    pub fn text(self, unit: Unit) -> String {
        match self {
            Self::AtMost(limit) => format!("≤ {}", unit.text(limit)),
            Self::AtLeast(limit) => format!("≥ {}", unit.text(limit)),
            Self::Within(times, other) => format!("≤ {times:.1} × {}", other.name()),
        }
    }
}

impl Unit {
    /// A value with its unit, to three figures.
    pub fn text(self, value: f64) -> String {
        let space = if self == Self::PerSecond { "" } else { " " };
        format!("{}{space}{}", self.number(value), self.symbol())
    }

    /// A value without its unit, to three figures.
    pub fn number(self, value: f64) -> String {
        match (self, value.abs()) {
            (Self::PerSecond, 1e6..) => format!("{:.2} M", value / 1e6),
            (Self::PerSecond, 1e3..) => format!("{:.0} k", value / 1e3),
            (_, 100.0..) => format!("{value:.0}"),
            (_, 10.0..) => format!("{value:.1}"),
            _ => format!("{value:.2}"),
        }
    }

    /// What follows the number.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Micros => "µs",
            Self::Millis => "ms",
            Self::PerSecond => "/s",
            Self::MegabytesPerSecond => "MB/s",
            Self::Mebibytes => "MiB",
            Self::Kibibytes => "KiB",
            Self::Percent => "%",
            Self::Times => "×",
        }
    }
}
