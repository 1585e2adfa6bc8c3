//! How much is measured, and in which order.

use crate::Result;
use crate::process::{Contestant, Launcher};

/// What every case is given.
pub struct Plan {
    /// Starts the contestants.
    pub launcher: Launcher,
    /// Rounds of every case; a figure is the median of its rounds.
    pub rounds: u32,
    /// Whether samples are saved on.
    pub quick: bool,
}

impl Plan {
    /// Seven rounds, five when in a hurry, unless told otherwise.
    pub fn new(launcher: Launcher, rounds: Option<u32>, quick: bool) -> Self {
        Self { launcher, rounds: rounds.unwrap_or(if quick { 5 } else { 7 }), quick }
    }

    /// `full`, or a third of it when in a hurry.
    pub fn samples(&self, full: usize) -> usize {
        if self.quick { full.div_ceil(3) } else { full }
    }
}

/// Gives each of `sides` its turn, another one first every time. What disturbs the machine for longer than a turn
/// then disturbs all of them, and none always follows the same one.
pub fn take_turns<T>(turn: usize, sides: &mut [T], mut measure: impl FnMut(&mut T) -> Result<()>) -> Result<()> {
    let count = sides.len();
    (0..count).try_for_each(|step| measure(&mut sides[(turn + step) % count]))
}

/// The value that the share `quantile` of `sorted` does not exceed (nearest rank).
pub fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}

/// The contestants of a case over sockets.
pub const ALL: [Contestant; 3] = [Contestant::Ours, Contestant::Echo, Contestant::Floor];
