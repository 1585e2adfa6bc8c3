//! Shell completions and man pages, generated from the definition of the command line so that they always match it.

use std::io;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use super::Arguments;

/// A completion script for `shell`.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

/// The man page of the program, or of one of its subcommands.
///
/// # Errors
/// The subcommand does not exist.
pub fn man(of: Option<&str>) -> io::Result<Vec<u8>> {
    let mut program = Arguments::command().version(env!("CARGO_PKG_VERSION"));
    program.build();
    let command = match of {
        None => program,
        Some(name) => program
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| io::Error::other(format!("there is no command `{name}`; see --help")))?,
    };
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}
