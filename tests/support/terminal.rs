//! A terminal of the usual size, 80 columns and 24 rows.

use std::fs::File;

use nix::pty::{Winsize, openpty};

use super::process::{Collected, Launch, Process};

/// Rows of the terminal.
pub const ROWS: u16 = 24;

/// Columns of the terminal.
pub const COLUMNS: u16 = 80;

/// Runs `launch` with a terminal as its stdout: the process, and what is on the terminal.
pub fn on_terminal(launch: Launch) -> (Process, Collected) {
    let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
    let pair = openpty(&size, None).expect("a terminal");
    let process = launch.env("TERM", "xterm").spawn_to(pair.slave);
    (process, Collected::of(File::from(pair.master)))
}
