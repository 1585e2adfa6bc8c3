//! A terminal of the usual size, 80 columns and 24 rows.

use std::fs::File;
use std::io::Write;

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

/// A program whose stdin and stdout are a terminal, at which a person sits.
pub struct AtTerminal {
    /// The program.
    pub process: Process,
    /// Everything that was on the terminal, with what was typed.
    pub screen: Collected,
    keys: File,
    /// How much of the screen the person has read.
    read: usize,
}

impl AtTerminal {
    /// Runs `launch` there.
    pub fn run(launch: Launch) -> Self {
        let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(&size, None).expect("a terminal");
        let keys = File::from(pair.master);
        let screen = Collected::of_terminal(keys.try_clone().expect("a terminal can be duplicated"));
        let process = launch.env("TERM", "xterm").env("NO_COLOR", "1").spawn_at(pair.slave);
        Self { process, screen, keys, read: 0 }
    }

    /// Waits until the terminal shows `text` behind what was read before: everything up to there, as lines end in files.
    pub fn sees(&mut self, text: &str) -> String {
        let from = self.read;
        let (shown, read) = self.screen.wait_for(text, |screen| {
            let end = from + screen[from..].find(text)? + text.len();
            Some((screen[from..end].replace("\r\n", "\n"), end))
        });
        self.read = read;
        shown
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) {
        self.keys.write_all(format!("{line}\n").as_bytes()).expect("the terminal takes keys");
    }
}
