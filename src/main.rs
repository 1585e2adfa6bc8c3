//! `codex-app-server`: from the command line to the exit code.

use std::{error::Error, future};

use codex_app_server::{
    attach::CallError, cli::Arguments, codex_home, commands, logging, serve::serve, settings::Settings, terminal,
};

fn main() {
    // A launcher must be single-threaded, so this comes before any code that could start a thread.
    if let Some(code) = command_launcher::run_if_launcher() {
        std::process::exit(code)
    }
    let code = match run(Arguments::from_environment()) {
        Ok(()) => 0,
        Err(error) => {
            logging::say(format!("Error: {}\n", terminal::shown(&error.to_string())));
            error.downcast_ref::<CallError>().map_or(1, CallError::exit_code)
        }
    };
    logging::finish();
    std::process::exit(code)
}

fn run(mut arguments: Arguments) -> Result<(), Box<dyn Error>> {
    arguments.check_options()?;
    if let Some(command) = arguments.command.take() {
        return commands::run(&command, arguments);
    }
    let codex_home = codex_home::find()?;
    let settings = Settings::load(&codex_home, &arguments.setting_overrides())?.settings()?;
    logging::start(&settings.log)?;
    codex_home::ensure(&codex_home)?;
    commands::block_on(serve(&arguments, &codex_home, settings, future::pending()))
}
