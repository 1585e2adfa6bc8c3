//! The life of a server in this process: start, signals, shutdown.

use std::{error::Error, path::Path, pin::pin};

use crate::{
    cli::Arguments,
    listen::ListenUrl,
    logging, neighbours, open_files,
    server::{STORE_FILE, Server},
    settings::{Effective, Settings},
    signals::{Signals, Wish, wish_of_hangup},
};

/// Serves according to `arguments` until a signal or the listener ends it. `beside` runs from the moment at which
/// clients can connect, and is dropped with the server.
///
/// # Errors
/// The server cannot start, or it ends by itself.
pub async fn serve(
    arguments: &Arguments,
    codex_home: &Path,
    mut settings: Settings,
    beside: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error>> {
    let mut in_force = Settings::load(codex_home, &arguments.setting_overrides())?;
    let mut signals = Signals::install(wish_of_hangup(arguments.listen == ListenUrl::Stdio))?;
    if settings.startup.raise_open_files {
        open_files::raise_limit();
    }

    let mut server = tokio::select! {
        server = Server::start(arguments, codex_home, &settings) => server?,
        () = signals.stop() => return Ok(()),
    };
    let every = settings.startup.neighbour_check_seconds.duration();
    let mut neighbours = pin!(neighbours::watch(codex_home.join(STORE_FILE), every));
    let mut beside = pin!(async {
        beside.await;
        std::future::pending::<()>().await;
    });
    loop {
        tokio::select! {
            ended = server.ended() => {
                server.close_store(&settings.shutdown).await;
                return Ok(ended?);
            }
            wish = signals.next() => match wish {
                Wish::Reload => {
                    reload(arguments, codex_home, &mut settings, &mut in_force);
                    server.reload_secrets();
                    server.reopen_store().await;
                }
                Wish::Stop => {
                    log::info!("{} has come: the server ends", signals.last());
                    break;
                }
            },
            () = &mut neighbours => {}
            () = &mut beside => {}
        }
    }

    tokio::select! {
        () = server.finish(&settings.shutdown) => {}
        () = signals.force(settings.shutdown.repeat_milliseconds.duration()) => log::warn!("received a second signal to end; ending at once"),
        () = &mut beside => {}
    }
    Ok(())
}

/// Applies the settings that can change at run time. On an error nothing changes.
fn reload(arguments: &Arguments, codex_home: &Path, settings: &mut Settings, in_force: &mut Effective) {
    let loaded = Settings::load(codex_home, &arguments.setting_overrides())
        .and_then(|effective| effective.settings().map(|settings| (effective, settings)));
    match loaded {
        Ok((effective, new)) => {
            logging::reload(&new.log);
            effective.warn();
            let waiting: Vec<&str> = in_force.needing_restart(&effective).collect();
            if !waiting.is_empty() {
                log::warn!(
                    "some changed settings need a restart, only log and shutdown are reloaded: {}",
                    waiting.join(", ")
                );
            }
            settings.log = new.log;
            settings.shutdown = new.shutdown;
            log::info!("reloaded the settings");
        }
        Err(error) => log::error!("the settings could not be reloaded and stay as they were: {error}"),
    }
}
