//! Runs the subcommands.

use std::{
    env,
    error::Error,
    io,
    mem::ManuallyDrop,
    path::{Path, absolute},
};

use app_server_actors::{
    catalog::Catalog,
    metrics::text::documentation,
    store::{self, BackupError, Repaired},
    work_tree,
};

use crate::{
    apply_patch, call, chat,
    cli::{Arguments, Command, ConfigAction, RemoteControlArguments, documents},
    codex_home, doctor, generate,
    http::Door,
    listen::control_socket,
    logging::{self, LogSettings},
    output::print,
    proxy, relay, remote_control,
    server::{self, ServerError},
    service,
    settings::{self, Effective, Settings},
    terminal,
};

/// The `--relay` that is in the same process.
const LOCAL_RELAY: &str = "local";

/// Runs a subcommand.
///
/// # Errors
/// The error for `main` to print; a [`CallError`](crate::attach::CallError) has its own exit code.
pub fn run(command: &Command, arguments: Arguments) -> Result<(), Box<dyn Error>> {
    match command {
        Command::ApplyPatch(arguments) => return apply_patch::run(arguments),
        Command::ObserveWorkTree => {
            let (root, input, output) = (env::current_dir()?, io::stdin().lock(), io::stdout().lock());
            return Ok(work_tree::serve(&root, Path::new(work_tree::MEMORY), input, output)?);
        }
        Command::GenerateJsonSchema { target } => return Ok(generate::json_schema(target)?),
        Command::GenerateTs { target } => return Ok(generate::typescript(target)?),
        Command::GenerateOpenrpc { out, experimental } => return generate::openrpc(out.as_deref(), *experimental),
        _ => {}
    }
    match command {
        Command::Completions { shell } => return Ok(print(&documents::completions(*shell))?),
        Command::Metrics => return Ok(print(documentation().as_bytes())?),
        Command::Man { command } => return Ok(print(&documents::man(command)?)?),
        Command::Doctor { json, repair } => {
            if *repair {
                repair_database()?;
            }
            let findings = block_on(doctor::examine(&arguments));
            let report = doctor::report(&findings, *json);
            let shown = if *json { terminal::shown_json(&report) } else { terminal::shown(&report) };
            print(shown.as_bytes())?;
            return Ok(doctor::verdict(&findings)?);
        }
        _ => {}
    }

    let codex_home = codex_home::find()?;
    let database = codex_home.join(server::STORE_FILE);
    match command {
        Command::Service { action } => {
            codex_home::ensure(&codex_home)?;
            return Ok(service::run(action, &codex_home)?);
        }
        Command::Backup { file } => return Ok(store::backup(&database, &absolute(file)?)?),
        Command::Restore { file } => {
            codex_home::ensure(&codex_home)?;
            if let Some(aside) = store::restore(&absolute(file)?, &database)? {
                print(format!("The database before it is kept as {}.\n", aside.display()).as_bytes())?;
            }
            return Ok(());
        }
        _ => {}
    }
    if let Command::Config { action: Some(ConfigAction::Check { .. }), .. } = command {
        return check_configuration(&arguments, &codex_home);
    }
    let effective = match Settings::load(&codex_home, &arguments.setting_overrides()) {
        // A server that runs with other settings can be asked and ended all the same.
        Err(error) if matches!(command, Command::Client(_)) => {
            let text = terminal::shown(&format!("warning: {error}")).into_owned();
            logging::say(&text, &format!("{text}\n"));
            Effective::built_in()?
        }
        loaded => loaded?,
    };
    if let Command::Config { origin, .. } = command {
        let mut toml = Vec::new();
        effective.write_toml(&mut toml, *origin)?;
        // In TOML, as in JSON, an escaped character says the same.
        return Ok(print(terminal::shown_json(&String::from_utf8_lossy(&toml)).as_bytes())?);
    }
    let settings = effective.settings()?;
    // The file of the log is the server's alone.
    let serves = matches!(command, Command::RemoteControl(RemoteControlArguments { action: None, .. }));
    let file = if serves { settings.log.file.clone() } else { String::new() };
    logging::start(&LogSettings { file, ..settings.log.clone() })?;
    effective.warn();
    match command {
        Command::Proxy { sock, framing, reconnect, .. } => {
            let socket = match sock {
                Some(path) => env::current_dir()?.join(path),
                None => control_socket(&codex_home),
            };
            Ok(block_on(proxy::run(&socket, *framing, *reconnect, &settings.limits))?)
        }
        Command::Client(command) => {
            let endpoint = command.server().endpoint(&codex_home)?;
            Ok(block_on(call::run(command, &endpoint, &settings.limits))?)
        }
        Command::Chat(chat) => block_on(chat::run(chat, &arguments, &codex_home, &settings)),
        Command::RemoteControl(RemoteControlArguments { action: Some(action), json, .. }) => {
            let endpoint = action.server().endpoint(&codex_home)?;
            Ok(block_on(remote_control::run(action, &endpoint, &settings, *json))?)
        }
        Command::RemoteControl(RemoteControlArguments { action: None, json, relay, tls, token_file }) => {
            codex_home::ensure(&codex_home)?;
            if relay.as_deref() == Some(LOCAL_RELAY) {
                return block_on(remote_control::local::run(arguments, &codex_home, settings, *tls, *json));
            }
            if *tls {
                return Err("--tls belongs to `--relay local`; another relay has its own certificate".into());
            }
            let settings = match relay {
                Some(relay) => {
                    remote_control::use_relay(&codex_home, relay, token_file.as_deref())?;
                    Settings::load(&codex_home, &arguments.setting_overrides())?.settings()?
                }
                None => settings,
            };
            block_on(remote_control::foreground(arguments, &codex_home, settings, relay.is_some(), *json))
        }
        Command::Relay(relay) => {
            codex_home::ensure(&codex_home)?;
            block_on(relay::run(relay, &codex_home, settings))
        }
        // Handled above.
        _ => Ok(()),
    }
}

/// Checks both files of configuration with all their layers, and says where they are.
fn check_configuration(arguments: &Arguments, codex_home: &Path) -> Result<(), Box<dyn Error>> {
    let effective = Settings::load(codex_home, &arguments.setting_overrides())?;
    effective.settings()?;
    effective.refuse_ignored()?;
    let sources = server::sources(codex_home, &arguments.config_overrides())?;
    Catalog::check(&sources).map_err(ServerError::StrictConfig)?;
    Door::new(&effective.settings()?.http, None).map_err(ServerError::Door)?;
    for file in [settings::FILE_NAME, "config.toml"] {
        let path = codex_home.join(file);
        let found = if path.exists() { "is valid" } else { "does not exist, so the defaults hold" };
        print(format!("{} {found}.\n", terminal::shown(&path.to_string_lossy())).as_bytes())?;
    }
    Ok(())
}

/// Repairs the thread database, and says what was done.
fn repair_database() -> Result<(), Box<dyn Error>> {
    let said = match store::repair(&codex_home::find()?.join(server::STORE_FILE)) {
        Ok(Repaired::Intact) | Err(BackupError::NoDatabase(_)) => "The thread database needs no repair.".to_owned(),
        Ok(Repaired::Finished) => "The repair or restore that was interrupted was brought to its end.".to_owned(),
        Ok(Repaired::Indexes(aside)) => format!(
            "The indexes of the thread database were built anew. The database before that is kept as {}.",
            aside.display()
        ),
        Err(error) => return Err(error.into()),
    };
    logging::say(&said, &format!("{said}\n"));
    Ok(())
}

/// Runs `future` to its end. The system is never dropped, because it would wait for the thread that reads stdin until
/// the next line.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    ManuallyDrop::new(actix_rt::System::new()).block_on(future)
}
