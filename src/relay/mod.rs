//! `relay`: serves what servers and phones ask of a backend, and the page for the phone. The actors of
//! [`app_server_actors::relay`] know who may do what; here are the listener, the routes, and the command line.
//!
//! | file | what it is |
//! |---|---|
//! | [`listen`] | the listener |
//! | [`admission`] | what is checked of every request: host, origin, size |
//! | [`servers`] | what servers ask (spec: remote control 4 and 5) |
//! | [`phones`] | what phones ask |
//! | [`page`] | the page |
//! | [`push`] | `relay push-keys`, and which phones want to be told that a machine waits |
//! | [`token`] | `relay token` |
//! | [`overview`] | `relay status`, and the socket that answers it |
//! | [`certificate`] | the certificate of `remote-control --relay local --tls` |

mod admission;
mod bundle;
pub mod certificate;
mod error;
mod folder;
mod listen;
mod overview;
mod page;
mod phones;
mod push;
mod refusal;
mod routes;
mod servers;
mod site;
mod tls;
mod token;

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use actix::Addr;
use app_server_actors::{
    limits::Limits,
    relay::EndRelay,
    store::{self, Store},
    vital::Vitals,
};

use crate::{
    cli::{RelayAction, RelayArguments},
    logging, open_files,
    settings::Settings,
    signals::{Signals, Wish},
};
pub use error::RelayError;
pub use folder::DIRECTORY;
pub use listen::{Opening, RelayListener};
pub use overview::NotRunning;
pub use tls::Identity;
pub use token::new_token;

/// The database in it.
const STORE_FILE: &str = "relay.sqlite";

/// Runs the relay until a signal ends it, or an action on what it keeps.
///
/// # Errors
/// The relay cannot start or ends by itself, or the action fails.
pub async fn run(arguments: &RelayArguments, codex_home: &Path, settings: Settings) -> Result<(), Box<dyn Error>> {
    if let Some(RelayAction::Status { json }) = arguments.action {
        return overview::show(codex_home, json, settings.relay.request_seconds.duration()).await;
    }
    if let Some(RelayAction::PushKeys) = arguments.action {
        return push::make_key(codex_home, &settings.relay.push_contact);
    }
    let vitals = Vitals::default();
    let store = open(codex_home, &settings.limits, &vitals)?;
    let done = match &arguments.action {
        Some(RelayAction::Token { action }) => token::run(action, &store).await,
        Some(RelayAction::Status { .. } | RelayAction::PushKeys) | None => {
            serve(arguments, codex_home, store.clone(), &settings, &vitals).await
        }
    };
    close(&store, &vitals).await;
    done
}

/// Ends a relay: every socket is told, within the time `grace`.
pub async fn end(listener: RelayListener, store: &Addr<Store>, vitals: &Vitals, grace: Duration) {
    vitals.expect_end();
    // A relay that has ended has no sockets.
    let _ = listener.relay().send(EndRelay).await;
    listener.stop(grace).await;
    close(store, vitals).await;
}

/// Writes everything into the one file of the database.
async fn close(store: &Addr<Store>, vitals: &Vitals) {
    vitals.expect_end();
    if store.send(store::Close).await.is_err() {
        log::error!("the store of the relay ended before the relay");
    }
}

/// Opens what a relay keeps in `codex_home`.
///
/// # Errors
/// The directory or the database cannot be used.
pub fn open(codex_home: &Path, limits: &Limits, vitals: &Vitals) -> Result<Arc<Addr<Store>>, Box<dyn Error>> {
    let directory = codex_home.join(DIRECTORY);
    folder::make(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    Ok(Store::open_relay(&directory.join(STORE_FILE), limits, vitals)?)
}

async fn serve(
    arguments: &RelayArguments,
    codex_home: &Path,
    store: Arc<Addr<Store>>,
    settings: &Settings,
    vitals: &Vitals,
) -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::install(Wish::Stop)?;
    if settings.startup.raise_open_files {
        open_files::raise_limit();
    }
    let mut listener = RelayListener::start(arguments.into(), codex_home, store.clone(), settings, vitals).await?;
    let said = listener.banner();
    logging::say(&format!("the relay listens on {}", listener.url()), &said);
    tokio::select! {
        ended = listener.ended() => return Err(ended.into()),
        lost = vitals.ended() => return Err(format!("the actor `{lost}` has ended, and the relay cannot run without it").into()),
        wish = signals.next() => log::info!("{} has come ({wish:?}): the relay ends", signals.last()),
    }
    let grace = settings.shutdown.close_seconds.duration();
    tokio::select! {
        () = end(listener, &store, vitals, grace) => {}
        () = signals.force(settings.shutdown.repeat_milliseconds.duration()) => {
            log::warn!("received a second signal to end; ending at once");
        }
    }
    Ok(())
}
