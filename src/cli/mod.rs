//! The command line: its options and subcommands, and the two names by which the program can be called.

mod admin;
mod argv;
mod auth;
mod clients;
mod commands;
pub mod documents;
mod overrides;
mod relay;
mod remote_control;
mod version;

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, error::ErrorKind};

pub use admin::AdminArguments;
use app_server_actors::protocol::API_VERSION;
pub use auth::{AuthArguments, AuthMode};
pub use clients::{ClientCommand, ServerChoice};
pub use commands::{ApplyPatchArguments, ChatArguments, Command, ConfigAction, ServiceAction, Target};
pub use overrides::{Override, VARIABLE};
pub use relay::{RelayAction, RelayArguments, TokenAction};
pub use remote_control::{RemoteControlAction, RemoteControlArguments};

use crate::listen::{ListenUrl, check_together};

/// Shares one coding agent among many clients over the JSON-RPC protocol of `codex app-server`.
#[derive(Debug, Parser)]
#[command(name = "codex-app-server")]
pub struct Arguments {
    /// Where to listen: `stdio://`, `unix://` (the control socket), `unix://PATH`, `ws://IP:PORT` or `off`. Repeatable: all
    /// clients share the threads. [default: stdio://]
    // Without a default of clap's, because sockets that a supervisor passes on are one, too.
    #[arg(long, value_name = "URL", value_parser = ListenUrl::parse_here)]
    pub listen: Vec<ListenUrl>,

    /// Serves one client on stdin and stdout; same as `--listen stdio://`.
    #[arg(long, conflicts_with = "listen")]
    pub stdio: bool,

    /// The source recorded in new threads.
    #[arg(long, value_name = "SOURCE", default_value = "vscode")]
    pub session_source: String,

    /// Overrides a key of config.toml, or with `app_server.KEY=VALUE` a setting of this server. Repeatable.
    #[arg(short = 'c', long = "config", value_name = "KEY=VALUE")]
    pub overrides: Vec<Override>,

    /// Same as `-c features.FEATURE=true`. Repeatable.
    #[arg(long, value_name = "FEATURE", hide = true)]
    pub enable: Vec<String>,

    /// Same as `-c features.FEATURE=false`. Repeatable.
    #[arg(long, value_name = "FEATURE", hide = true)]
    pub disable: Vec<String>,

    /// Writes the log to this file instead of stderr, and begins a new one when it is large. Same as
    /// `-c app_server.log.file=PATH`.
    #[arg(long, value_name = "PATH", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub log_file: Option<String>,

    /// Refuses to start if config.toml contains an unknown key.
    #[arg(long)]
    pub strict_config: bool,

    /// Authentication of clients on TCP.
    #[command(flatten)]
    pub auth: AuthArguments,

    /// The listener of operators.
    #[command(flatten)]
    pub admin: AdminArguments,

    /// Starts with remote control enabled.
    #[arg(long, hide = true)]
    pub remote_control: bool,

    /// Accepted because the reference program's daemon manager passes it. Has no effect.
    #[arg(long, hide = true)]
    pub managed_daemon: bool,

    /// Accepted because existing clients pass it. Has no effect: this server sends no analytics.
    #[arg(long, hide = true)]
    pub analytics_default_enabled: bool,

    /// Recognized to be refused with the reference program's error: this program has no terminal UI.
    #[arg(long, value_name = "URL", hide = true)]
    pub remote: Option<String>,

    /// Same as `--remote`.
    #[arg(long, value_name = "ENV_VAR", hide = true)]
    pub remote_auth_token_env: Option<String>,

    /// The subcommand; without one the program serves.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Arguments {
    /// Parses the process's command line.
    ///
    /// # Errors
    /// What there is to print instead: help, the version, or what is wrong.
    pub fn from_environment() -> Result<Self, clap::Error> {
        Self::parse_from_words(std::env::args_os())
    }

    /// Parses `words`; the first one is the name by which the program was called.
    pub fn parse_from_words(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let called = argv::read(words.into_iter().collect());
        let mut command = if called.as_codex {
            Self::command().display_name("codex-cli").bin_name("codex app-server").version(API_VERSION)
        } else {
            Self::command().version(version::own())
        };
        let matches = command.clone().try_get_matches_from(called.words)?;
        let arguments = Self::from_arg_matches(&matches)?;
        check_together(&arguments.listen).map_err(|error| command.error(ErrorKind::ArgumentConflict, error))?;
        Ok(arguments.normalized())
    }

    fn normalized(mut self) -> Self {
        if self.stdio {
            self.listen = vec![ListenUrl::Stdio];
        }
        if let Some(Command::Config { overrides, .. } | Command::Proxy { overrides, .. }) = &mut self.command {
            self.overrides.append(overrides);
        }
        if let Some(Command::Config { action: Some(ConfigAction::Check { overrides }), .. }) = &mut self.command {
            self.overrides.append(overrides);
        }
        let switches = self.enable.iter().map(|it| (it, "true")).chain(self.disable.iter().map(|it| (it, "false")));
        self.overrides.extend(switches.map(|(feature, value)| Override::of_feature(feature, value)));
        self
    }

    /// Rejects options that do not apply to the chosen subcommand, with the reference program's texts.
    ///
    /// # Errors
    /// The text for the user.
    pub fn check_options(&self) -> Result<(), String> {
        let is_proxy = matches!(self.command, Some(Command::Proxy { .. }));
        let called = if is_proxy { "codex app-server proxy" } else { "codex app-server" };
        let remote = match (&self.remote, &self.remote_auth_token_env) {
            (Some(url), _) => Some(format!("--remote {url}")),
            (None, Some(_)) => Some("--remote-auth-token-env".to_owned()),
            (None, None) => None,
        };
        if let Some(option) = remote {
            return Err(format!("`{option}` is only supported for interactive TUI commands, not `{called}`"));
        }
        if is_proxy && self.strict_config {
            return Err(format!("`--strict-config` is not supported for `{called}`"));
        }
        Ok(())
    }

    /// The overrides of this server's own settings in the given order, without their `app_server.` prefix.
    pub fn setting_overrides(&self) -> Vec<Override> {
        let options = self.log_file.iter().map(|path| Override { key: "log.file".into(), value: quoted(path) });
        self.overrides.iter().filter_map(Override::of_setting).chain(options).collect()
    }

    /// The overrides of config.toml, of the environment and then of the command line, in the given order, each as
    /// `key=value`.
    pub fn config_overrides(&self) -> Vec<String> {
        // A line that is no assignment is reported where the settings are loaded, which comes before.
        let lines = std::env::var(VARIABLE).ok().and_then(|lines| Override::lines(&lines).ok()).unwrap_or_default();
        let all = lines.iter().chain(&self.overrides);
        all.filter(|it| it.of_setting().is_none()).map(ToString::to_string).collect()
    }
}

/// `text` as TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::parse_from_words(line.split(' ').map(OsString::from))
    }

    fn version(line: &str) -> String {
        let error = parse(line).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DisplayVersion);
        error.to_string()
    }

    #[test]
    fn serves_one_client_on_stdio_unless_told_otherwise() {
        let arguments = parse("codex-app-server").unwrap();
        assert_eq!(arguments.listen, [], "no listener is named");
        assert_eq!(arguments.session_source, "vscode");
    }

    #[test]
    fn stands_in_for_the_reference_program() {
        for line in [
            "/usr/bin/codex app-server --listen unix:///run/x.sock --analytics-default-enabled --managed-daemon",
            "codex-app-server app-server --listen unix:///run/x.sock",
            "codex -c model=o3 app-server --listen unix:///run/x.sock",
            "codex --config model=o3 app-server --listen unix:///run/x.sock",
            "codex --enable goals app-server --disable apps --listen unix:///run/x.sock",
        ] {
            let arguments = parse(line).unwrap();
            assert_eq!(arguments.listen, [ListenUrl::Unix(PathBuf::from("/run/x.sock"))], "{line}");
        }
    }

    #[test]
    fn announces_the_level_it_speaks_and_its_own_version() {
        assert_eq!(version("/opt/bin/codex --version"), "codex-cli 0.171.0\n");
        assert_eq!(version("codex app-server --version"), "codex-cli 0.171.0\n");
        assert_eq!(version("codex-app-server app-server --version"), "codex-cli 0.171.0\n");
        let own = version("codex-app-server --version");
        assert!(own.starts_with(concat!("codex-app-server ", env!("CARGO_PKG_VERSION"))), "{own}");
        assert!(own.contains("0.171.0"), "{own}");
    }

    #[test]
    fn a_usage_error_ends_with_code_2_and_the_references_text() {
        let error = parse("codex-app-server --stdio --listen stdio://").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("the argument '--stdio' cannot be used with '--listen <URL>'"), "{error}");

        let error = parse("codex-app-server --listen garbage").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert_eq!(
            error.to_string(),
            "error: invalid value 'garbage' for '--listen <URL>': unsupported --listen URL `garbage`; expected \
             `stdio://`, `unix://`, `unix://PATH`, `ws://IP:PORT`, or `off`\n\nFor more information, try '--help'.\n"
        );
    }

    #[test]
    fn an_empty_listen_url_is_refused_like_any_other() {
        let error = Arguments::parse_from_words(["codex-app-server", "--listen", ""].map(OsString::from)).unwrap_err();
        assert!(error.to_string().starts_with("error: invalid value '' for '--listen <URL>': "), "{error}");
    }

    #[test]
    fn a_feature_switch_is_an_override() {
        let arguments = parse("codex --enable goals app-server --disable apps").unwrap();
        assert_eq!(arguments.config_overrides(), ["features.goals=true", "features.apps=false"]);
    }

    #[test]
    fn tells_its_own_settings_from_those_of_config_toml() {
        let arguments = parse(
            "codex-app-server -c model=o3 -c app_server.http.workers=2 config --origin -c app_server.log.json=true",
        )
        .unwrap();
        let keys = |list: Vec<Override>| list.into_iter().map(|it| it.key).collect::<Vec<_>>();
        assert_eq!(arguments.config_overrides(), ["model=o3"]);
        assert_eq!(keys(arguments.setting_overrides()), ["http.workers", "log.json"]);
    }
}
