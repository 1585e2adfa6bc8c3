//! `codex-app-server`: the life of the process.

use std::{
    error::Error,
    io::{self, Write as _},
    path::Path,
};

use codex_app_server::{
    call::CallError,
    cli::Arguments,
    codex_home, commands,
    listen::ListenUrl,
    logging, open_files,
    server::Server,
    settings::Settings,
    signals::{Signals, Wish, wish_of_hangup},
};

fn main() {
    // A launcher must be alone in its process, so this comes before everything that could start a thread.
    if let Some(code) = command_launcher::run_if_launcher() {
        std::process::exit(code)
    }
    let arguments = Arguments::from_environment();
    let code = match run(&arguments) {
        Ok(()) => 0,
        Err(error) => {
            // Nobody is left to tell when stderr is closed.
            let _ = writeln!(io::stderr(), "Error: {error}");
            error.downcast_ref::<CallError>().map_or(1, CallError::exit_code)
        }
    };
    std::process::exit(code)
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    arguments.check_options()?;
    if let Some(command) = &arguments.command {
        return commands::run(command, arguments);
    }
    let codex_home = codex_home::find()?;
    let settings = Settings::load(&codex_home, &arguments.setting_overrides())?.settings()?;
    logging::start(&settings.log)?;
    codex_home::ensure(&codex_home)?;
    commands::block_on(serve(arguments, &codex_home, settings))
}

async fn serve(arguments: &Arguments, codex_home: &Path, mut settings: Settings) -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::install(wish_of_hangup(arguments.listen == ListenUrl::Stdio))?;
    if settings.startup.raise_open_files {
        open_files::raise_limit();
    }

    let mut server = tokio::select! {
        server = Server::start(arguments, codex_home, &settings) => server?,
        () = signals.stop() => return Ok(()),
    };
    loop {
        tokio::select! {
            ended = server.ended() => return Ok(ended?),
            wish = signals.next() => match wish {
                Wish::Reload => {
                    reload(arguments, codex_home, &mut settings);
                    server.reload_secrets();
                }
                Wish::Stop => break,
            },
        }
    }

    tokio::select! {
        () = server.finish(&settings.shutdown) => {}
        () = signals.force() => log::warn!("told to end a second time: ending at once"),
    }
    Ok(())
}

/// Takes over the settings that can change while the server runs; on an error everything stays as it is.
fn reload(arguments: &Arguments, codex_home: &Path, settings: &mut Settings) {
    let loaded = Settings::load(codex_home, &arguments.setting_overrides()).and_then(|effective| effective.settings());
    match loaded {
        Ok(new) => {
            logging::reload(&new.log);
            if settings.needs_restart_for(&new) {
                log::warn!("some changed settings take effect at the next start: only log and shutdown are reloaded");
            }
            settings.log = new.log;
            settings.shutdown = new.shutdown;
            log::info!("reloaded the settings");
        }
        Err(error) => log::error!("kept the settings as they were: {error}"),
    }
}
