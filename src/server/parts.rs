//! What the actors of a server are made of.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use app_server_actors::{
    account::Credentials,
    catalog::{Catalog, CatalogSources},
    clock::Clock,
    environment::Environment,
    host::Host,
    metrics::Metrics,
    model::ModelSetup,
    remote_control::RemoteControlSetup,
    start::ActorsParts,
    store::Store,
    traces::Traces,
    vital::Vitals,
};

use super::{STORE_FILE, ServerError};
use crate::{own_programs, settings::Settings, sign_in};

/// The parts of the actors: opens the database and starts the actors that have arbiters of their own.
pub(crate) fn actors_parts(
    codex_home: &Path,
    config_overrides: &[String],
    session_source: &str,
    settings: &Settings,
) -> Result<ActorsParts, ServerError> {
    let sources = sources(codex_home, config_overrides)?;
    let host = host(codex_home, sources.cwd.clone(), session_source);
    let account = Arc::new(Credentials::new(codex_home));
    let (models, token_url) = models(settings, &account, &host);
    let sign_in = sign_in::setup(&account, &models, &settings.sign_in);
    let traces = Traces::start(&settings.traces, &models.network)?;
    let (vitals, clock) = (Vitals::default(), Clock::system());
    let metrics = Arc::new(Metrics::new(clock.unix_ms()));
    Ok(ActorsParts {
        listeners: Vec::new(),
        limits: Arc::new(settings.limits.clone()),
        models: models.clone(),
        account,
        host,
        store: Store::open(&codex_home.join(STORE_FILE), &settings.limits, &metrics, &vitals)?,
        catalog: Catalog::start(sources.with_models(models).with_sign_in(sign_in), &settings.limits, &vitals),
        turns: settings.turns.clone(),
        traces,
        mcp: settings.mcp.clone(),
        metrics,
        clock,
        commands: own_programs::command_setup(codex_home),
        remote_control: RemoteControlSetup { token_url, ..RemoteControlSetup::new(settings.remote_control.clone()) },
        remote_link: settings.remote_link.clone(),
        vitals,
    })
}

fn models(settings: &Settings, account: &Arc<Credentials>, host: &Host) -> (ModelSetup, Option<String>) {
    let environment = Environment::process();
    let token_url = environment.get("CODEX_REFRESH_TOKEN_URL_OVERRIDE");
    let models = settings.model.clone();
    (ModelSetup::new(models, environment, account, token_url.clone(), Clock::system(), host), token_url)
}

/// The sources of a catalog that asks providers for their models.
pub(crate) fn sources_with_models(
    codex_home: &Path,
    config_overrides: &[String],
    settings: &Settings,
) -> Result<CatalogSources, ServerError> {
    let sources = sources(codex_home, config_overrides)?;
    let (account, host) = (Arc::new(Credentials::new(codex_home)), host(codex_home, sources.cwd.clone(), ""));
    Ok(sources.with_models(models(settings, &account, &host).0))
}

pub(crate) fn sources(codex_home: &Path, config_overrides: &[String]) -> Result<CatalogSources, ServerError> {
    CatalogSources::new(codex_home.to_owned(), std::env::current_dir().map_err(ServerError::WorkingDirectory)?)
        .with_user_home(std::env::home_dir())
        .with_overrides(config_overrides)
        .map_err(ServerError::Override)
}

fn host(codex_home: &Path, cwd: PathBuf, session_source: &str) -> Host {
    let system = rustix::system::uname();
    let [name, release] = [system.sysname(), system.release()].map(|part| part.to_string_lossy());
    Host {
        codex_home: codex_home.to_owned(),
        session_source: session_source.to_owned(),
        cwd,
        os: format!("{name} {release}"),
        terminal: std::env::var("TERM").unwrap_or_else(|_| "unknown".to_owned()),
    }
}
