//! Where a value comes from, and why it is refused.

use std::{fmt, io, path::PathBuf};

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `config/default.toml`.
    Default,
    /// A settings file, and where it is about one line of it, its number.
    File(PathBuf, Option<usize>),
    /// An environment variable.
    Environment(&'static str),
    /// `-c app_server.KEY=VALUE`.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, None) => write!(f, "{}", path.display()),
            Self::File(path, Some(line)) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// Why a setting is invalid. Each text names the layer, the setting, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file exists but cannot be read.
    #[error("{}: {error}; make it readable, or remove it", path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The file is not TOML.
    #[error("{}:{line}: {message}; correct this line, or remove the file", path.display())]
    NotToml {
        /// Path of the file.
        path: PathBuf,
        /// Line number, counted from 1.
        line: usize,
        /// The parser's message.
        message: String,
    },
    /// The setting does not exist.
    #[error("{origin}: there is no setting `{key}`; `codex-app-server config` lists all, each as SECTION.KEY")]
    Unknown {
        /// The layer.
        origin: Origin,
        /// Dotted key.
        key: String,
    },
    /// The value does not fit the setting.
    #[error("{origin}: `{key}` must be {expected}, not {found}")]
    Unfit {
        /// The layer.
        origin: Origin,
        /// Dotted key.
        key: String,
        /// What is expected.
        expected: String,
        /// The value as TOML.
        found: String,
    },
    /// The value is of the right kind, and is refused all the same.
    #[error("{origin}: `{key}` {reason}")]
    Refused {
        /// The layer.
        origin: Origin,
        /// Dotted key.
        key: String,
        /// Why.
        reason: String,
    },
    /// A variable that a server would ignore, with a warning.
    #[error("environment: {0}")]
    Ignored(String),
    /// A line of the variable is no assignment.
    #[error("environment {name}: {0}; each line is KEY=VALUE, as for -c", name = crate::cli::VARIABLE)]
    NoAssignment(String),
    /// The built-in defaults do not match the settings: a bug in this build.
    #[error("built-in settings: {0}")]
    BuiltIn(#[from] toml::de::Error),
}

impl SettingsError {
    /// The same with the line of a file.
    pub(super) fn at(mut self, line_of: impl FnOnce(&str) -> Option<usize>) -> Self {
        if let Self::Unknown { origin: Origin::File(_, line), key }
        | Self::Unfit { origin: Origin::File(_, line), key, .. }
        | Self::Refused { origin: Origin::File(_, line), key, .. } = &mut self
        {
            *line = line_of(key);
        }
        self
    }
}
