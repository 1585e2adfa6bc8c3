//! `codex-app-server`: from the command line to the exit code.

use std::{error::Error, future};

use codex_app_server::{
    cli::Arguments,
    codex_home, commands, exit, logging, output,
    serve::serve,
    settings::Settings,
    succession::{Predecessor, Succession},
    terminal,
};

fn main() {
    // A launcher must be single-threaded, so this comes before any code that could start a thread.
    if let Some(code) = command_launcher::run_if_launcher() {
        std::process::exit(code)
    }
    if let Some(code) = command_launcher::run_if_init() {
        std::process::exit(code)
    }
    // It changes the environment, so it comes before other threads, too.
    let succession = Succession::of_this_process();
    command_launcher::reset_signals();
    codex_home::keep_own_rights();
    logging::catch_panics();
    let ended = match Arguments::from_environment() {
        Ok(arguments) => run(arguments, succession).map(|()| 0),
        Err(said) => {
            if said.use_stderr() {
                Predecessor::tell_failure(&said.to_string());
            }
            output::print_clap(&said).map_err(Into::into)
        }
    };
    let code = ended.unwrap_or_else(|error| {
        let code = exit::code(&*error);
        if code != 0 {
            let text = terminal::shown(&error.to_string()).into_owned();
            logging::say_error(&text, &format!("Error: {text}\n"));
            Predecessor::tell_failure(&text);
        }
        code
    });
    logging::finish();
    std::process::exit(code)
}

fn run(mut arguments: Arguments, succession: Succession) -> Result<(), Box<dyn Error>> {
    arguments.check_options()?;
    if let Some(command) = arguments.command.take() {
        return commands::run(&command, arguments);
    }
    let codex_home = codex_home::find()?;
    let effective = Settings::load(&codex_home, &arguments.setting_overrides())?;
    let settings = effective.settings()?;
    logging::start(&settings.log)?;
    effective.warn();
    codex_home::ensure(&codex_home)?;
    commands::block_on(serve(&arguments, &codex_home, settings, succession, future::pending()))
}
