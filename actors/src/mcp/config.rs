//! What `config.toml` says of one MCP server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::approval::mcp::ToolApproval;
use crate::protocol::Secret;

/// How long a server may take to start unless its configuration says otherwise (the reference program's time).
const STARTUP_TIME: Duration = Duration::from_secs(10);

/// How long a call may take unless the configuration says otherwise (the reference program's time).
const CALL_TIME: Duration = Duration::from_secs(60);

/// Longest time that a configuration can set. More is the same as for ever, and would overflow.
const LONGEST_TIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// `[mcp_servers.<name>]`; the members are those of `config.toml`. Values that may hold secrets are not shown by Debug.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ServerConfig {
    /// The program of a server that is started here and speaks over its standard streams.
    pub command: Option<String>,
    /// Its arguments.
    pub args: Vec<Secret>,
    /// Variables of its environment, with their values.
    pub env: BTreeMap<String, Secret>,
    /// Variables that it inherits besides the usual ones.
    pub env_vars: Vec<Variable>,
    /// Its working directory; relative to that of the thread, which it is unless this is set.
    pub cwd: Option<PathBuf>,
    /// The URL of a server that speaks over HTTP.
    pub url: Option<Secret>,
    /// The variable with the token that it wants.
    pub bearer_token_env_var: Option<String>,
    /// A token in the configuration itself, which is refused.
    bearer_token: Option<Secret>,
    /// Headers of each request, with their values.
    pub http_headers: BTreeMap<String, Secret>,
    /// Headers of each request, with the variables that hold their values.
    pub env_http_headers: BTreeMap<String, String>,
    /// False: it is not started.
    pub enabled: Option<bool>,
    /// Without it a turn fails.
    pub required: bool,
    /// Seconds that its start may take.
    startup_timeout_sec: Option<f64>,
    /// The same in milliseconds.
    startup_timeout_ms: Option<u64>,
    /// Seconds that one call may take.
    tool_timeout_sec: Option<f64>,
    /// The only tools that are offered to the model; all of them if absent.
    pub enabled_tools: Option<Vec<String>>,
    /// Tools that are not offered.
    pub disabled_tools: Vec<String>,
    /// When calls are asked about.
    pub default_tools_approval_mode: Option<ToolApproval>,
    /// Settings of single tools.
    pub tools: BTreeMap<String, ToolConfig>,
}

/// `[mcp_servers.<name>.tools.<tool>]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ToolConfig {
    /// When calls of it are asked about.
    pub approval_mode: Option<ToolApproval>,
}

/// A variable that a server inherits: its name, or a table with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Variable {
    /// The name.
    Name(String),
    /// A table.
    Table {
        /// The name.
        name: String,
    },
}

impl Variable {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Table { name } => name,
        }
    }
}

/// How a server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// This program is started.
    Program(&'a str),
    /// It is somewhere else, at this URL.
    Http(&'a str),
}

impl ServerConfig {
    /// Whether it may be started.
    pub fn is_enabled(&self) -> bool {
        self.enabled != Some(false)
    }

    /// How it is reached.
    ///
    /// # Errors
    /// The configuration does not say, or says two things; in words for the user.
    pub fn kind(&self) -> Result<Kind<'_>, &'static str> {
        if self.bearer_token.is_some() {
            return Err("bearer_token is not supported; name a variable that holds the token in bearer_token_env_var");
        }
        match (&self.command, &self.url) {
            (Some(command), None) => Ok(Kind::Program(command)),
            (None, Some(url)) => Ok(Kind::Http(url.expose())),
            (Some(_), Some(_)) => Err("it has a command and a url; remove one of them"),
            (None, None) => Err("it has neither a command nor a url"),
        }
    }

    /// How long its start may take.
    pub fn startup_time(&self) -> Duration {
        let milliseconds = self.startup_timeout_ms.map(Duration::from_millis);
        time(self.startup_timeout_sec).or(milliseconds).unwrap_or(STARTUP_TIME).min(LONGEST_TIME)
    }

    /// How long one call may take.
    pub fn call_time(&self) -> Duration {
        time(self.tool_timeout_sec).unwrap_or(CALL_TIME).min(LONGEST_TIME)
    }

    /// Whether the model may know of a tool.
    pub fn offers(&self, tool: &str) -> bool {
        let is_named = |names: &[String]| names.iter().any(|name| name == tool);
        self.enabled_tools.as_deref().is_none_or(is_named) && !is_named(&self.disabled_tools)
    }

    /// When calls of a tool are asked about.
    pub fn approval(&self, tool: &str) -> ToolApproval {
        let own = self.tools.get(tool).and_then(|tool| tool.approval_mode);
        own.or(self.default_tools_approval_mode).unwrap_or_default()
    }
}

/// Negative and endless times do not count.
fn time(seconds: Option<f64>) -> Option<Duration> {
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ServerConfig {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_server_is_a_program_or_a_url_and_says_so() {
        assert_eq!(read("command = 'x'").kind(), Ok(Kind::Program("x")));
        assert_eq!(read("url = 'http://h'").kind(), Ok(Kind::Http("http://h")));
        assert!(read("command = 'x'\nurl = 'http://h'").kind().is_err());
        assert!(read("").kind().is_err());
        assert!(read("url = 'http://h'\nbearer_token = 't'").kind().unwrap_err().contains("bearer_token_env_var"));
    }

    #[test]
    fn times_have_defaults_and_bounds() {
        assert_eq!((read("").startup_time(), read("").call_time()), (STARTUP_TIME, CALL_TIME));
        let set = read("startup_timeout_ms = 500\ntool_timeout_sec = 1.5");
        assert_eq!((set.startup_time(), set.call_time()), (Duration::from_millis(500), Duration::from_millis(1500)));
        assert_eq!(read("startup_timeout_sec = 2\nstartup_timeout_ms = 500").startup_time(), Duration::from_secs(2));
        for nonsense in ["-1", "nan", "inf"] {
            assert_eq!(read(&format!("tool_timeout_sec = {nonsense}")).call_time(), CALL_TIME, "{nonsense}");
        }
        assert_eq!(read("tool_timeout_sec = 1e18").call_time(), LONGEST_TIME);
    }

    #[test]
    fn tools_are_chosen_by_name() {
        let some = read("enabled_tools = ['a', 'b']\ndisabled_tools = ['b']");
        assert_eq!(["a", "b", "c"].map(|tool| some.offers(tool)), [true, false, false]);
        assert!(read("").offers("a"));
        assert!(!read("enabled_tools = []").offers("a"));
    }

    #[test]
    fn a_tools_own_approval_mode_counts_more() {
        let config = read("default_tools_approval_mode = 'prompt'\n[tools.a]\napproval_mode = 'approve'");
        assert_eq!(config.approval("a"), ToolApproval::Approve);
        assert_eq!(config.approval("b"), ToolApproval::Prompt);
        assert_eq!(read("").approval("a"), ToolApproval::Auto);
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = "command = 'x'\nargs = ['--key=S3CRET']\nurl = 'http://u:S3CRET@h'\nbearer_token = 'S3CRET'\n\
                    env = { A = 'S3CRET' }\nhttp_headers = { B = 'S3CRET' }\nenv_vars = ['C', { name = 'D' }]";
        let config = read(text);
        assert!(!format!("{config:?}").contains("S3CRET"));
        assert_eq!(config.env_vars.iter().map(Variable::name).collect::<Vec<_>>(), ["C", "D"]);
    }
}
