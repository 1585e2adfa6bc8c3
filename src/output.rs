//! stdout for commands that print once. What cannot be written is an error, except to a reader that has gone.

use std::io::{self, ErrorKind, Write as _};

use crate::logging;

/// The output could not be written to stdout.
#[derive(Debug, thiserror::Error)]
#[error("failed to write to stdout: {0}")]
pub struct Unwritten(#[from] pub io::Error);

impl Unwritten {
    /// Whether the reader has gone, as `head` does when it has enough. That is no failure of this program.
    pub fn is_unwanted(&self) -> bool {
        self.0.kind() == ErrorKind::BrokenPipe
    }
}

/// Writes all of `bytes`.
///
/// # Errors
/// See [`Unwritten`].
pub fn print(bytes: &[u8]) -> Result<(), Unwritten> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    Ok(stdout.flush()?)
}

/// Prints what clap has to say: `--help` and `--version` to stdout, a wrong command line to stderr. Returns the exit
/// code.
///
/// # Errors
/// See [`Unwritten`].
pub fn print_clap(said: &clap::Error) -> Result<i32, Unwritten> {
    if said.use_stderr() {
        let plain = said.render().to_string();
        let text = if logging::is_coloured() { said.render().ansi().to_string() } else { plain.clone() };
        logging::say_error(&plain, &text);
    } else {
        said.print()?;
        io::stdout().flush()?;
    }
    Ok(said.exit_code())
}
