//! The life of a server in this process: start, signals, shutdown.

use std::{error::Error, path::Path, pin::pin, time::Duration};

use crate::{
    cli::Arguments,
    listen::ListenUrl,
    logging, neighbours, open_files,
    server::{STORE_FILE, Server},
    settings::{Effective, Settings, Shutdown},
    signals::{Signals, Wish, wish_of_hangup},
    succession::{HandOverError, Handing, Succession, Successor},
    supervisor::{Pulse, Supervisor},
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
    succession: Succession,
    beside: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error>> {
    let Succession { inherited, predecessor, successor } = succession;
    let serves_stdio_alone = inherited.is_empty() && matches!(arguments.listen[..], [] | [ListenUrl::Stdio]);
    let mut in_force = Settings::load(codex_home, &arguments.setting_overrides())?;
    let mut signals = Signals::install(wish_of_hangup(serves_stdio_alone))?;
    if settings.startup.raise_open_files {
        open_files::raise_limit();
    }

    let supervisor = Supervisor::of_environment();
    let mut server = tokio::select! {
        server = Server::start(arguments, inherited, predecessor, codex_home, &settings) => server?,
        () = signals.stop() => return Ok(()),
    };
    supervisor.ready();
    let actors = server.actors().clone();
    let mut pulse = pin!(Pulse::new(&actors, &supervisor).run());
    let every = settings.startup.neighbour_check_seconds.duration();
    let mut neighbours = pin!(neighbours::watch(codex_home.join(STORE_FILE), every));
    let mut beside = pin!(async {
        beside.await;
        std::future::pending::<()>().await;
    });
    let mut next = None;
    loop {
        tokio::select! {
            ended = server.ended() => {
                server.close_store(&settings.shutdown).await;
                return Ok(ended?);
            }
            wish = signals.next() => match wish {
                Wish::Reload => {
                    supervisor.reloading();
                    reload(arguments, codex_home, &mut settings, &mut in_force);
                    server.reload_secrets();
                    server.reopen_store().await;
                    supervisor.ready();
                }
                Wish::HandOver => {
                    let patience = settings.startup.take_over_seconds.duration();
                    let handed = tokio::select! {
                        handed = hand_over(&server, successor.as_ref(), patience, &mut signals) => handed,
                        // It never ends; the supervisor hears of this server meanwhile.
                        () = &mut pulse => HandedOver::Not,
                    };
                    match handed {
                        HandedOver::To(it) => {
                            next = Some(it);
                            break;
                        }
                        HandedOver::Stopped => break,
                        HandedOver::Not => {}
                    }
                }
                Wish::Stop => {
                    log::info!("{} has come: the server ends", signals.last());
                    break;
                }
            },
            () = &mut neighbours => {}
            () = &mut beside => {}
            () = &mut pulse => {}
        }
    }

    tokio::select! {
        ended = end(&mut server, next, &settings.shutdown, &supervisor, &mut signals) => ended,
        () = &mut beside => Ok(()),
    }
}

/// Finishes running work and ends, or leaves everything to the `next` server. A signal to end meanwhile ends that one, too; a
/// second one ends this one at once.
async fn end(
    server: &mut Server,
    next: Option<Handing>,
    limits: &Shutdown,
    supervisor: &Supervisor,
    signals: &mut Signals,
) -> Result<(), Box<dyn Error>> {
    let takes_over = async || match &next {
        Some(next) => next.is_there().await,
        None => false,
    };
    let mut finish = pin!(server.finish(limits, takes_over));
    if let Some(next) = &next {
        tokio::select! {
            () = &mut finish => {
                supervisor.handed_over_to(next.take_over()?);
                return Ok(());
            }
            () = signals.stop() => {
                log::info!("a signal to end has come: the next server ends, too");
                next.give_up();
            }
            () = supervisor.handing_over() => {}
        }
    }
    tokio::select! {
        () = &mut finish => {}
        () = signals.force(limits.repeat_milliseconds.duration()) => {
            log::warn!("received a second signal to end; ending at once");
        }
        () = supervisor.stopping() => {}
    }
    Ok(())
}

/// How an attempt to hand the sockets over ended.
enum HandedOver {
    /// The next server waits for the end of this one.
    To(Handing),
    /// This one goes on.
    Not,
    /// A signal asked for the end meanwhile.
    Stopped,
}

/// Starts the next server. If it cannot take over, this one goes on.
async fn hand_over(
    server: &Server,
    successor: Option<&Successor>,
    patience: Duration,
    signals: &mut Signals,
) -> HandedOver {
    let Some(successor) = successor else {
        let why = "this server cannot be replaced by another one; stop it, and start it again";
        log::warn!("{why}");
        server.actors().upgrade_failed(why.to_owned());
        return HandedOver::Not;
    };
    log::info!("starting the next server, which takes the sockets over");
    let started = async {
        let (sockets, again) = (server.handed_sockets()?, server.handed_sockets()?);
        let next = successor.start(sockets, patience).await?;
        server.leave_sockets().await;
        log::info!("process {} takes over; no client is accepted here any more", next.id());
        Ok::<_, HandOverError>(Handing::to(next, successor, again, patience))
    };
    tokio::select! {
        handing = started => match handing {
            Ok(handing) => HandedOver::To(handing),
            Err(error) => {
                log::error!("{error}; this server goes on");
                server.actors().upgrade_failed(error.to_string());
                HandedOver::Not
            }
        },
        () = signals.stop() => {
            log::info!("a signal to end has come: both servers end");
            HandedOver::Stopped
        }
    }
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
