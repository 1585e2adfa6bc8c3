//! Shell completions and man pages, generated from the definition of the command line so that they always match it.

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use super::Arguments;
use crate::attach::CallError;

/// A completion script for `shell`.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, &name, &mut script);
    if shell != Shell::Bash {
        return script;
    }
    // It spells a name with hyphens in two ways, so that nothing is completed behind a subcommand (clap#6421).
    let script = String::from_utf8_lossy(&script);
    script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__")).into_bytes()
}

/// The man page of the program, or of the subcommand that `words` name, such as `remote-control pair`.
///
/// # Errors
/// The subcommand does not exist: a usage error.
pub fn man(words: &[String]) -> Result<Vec<u8>, CallError> {
    let mut command = Arguments::command().version(env!("CARGO_PKG_VERSION"));
    command.build();
    for word in words {
        let unknown = || CallError::Usage(format!("there is no command `{}`; see --help", words.join(" ")));
        command = command.find_subcommand(word).cloned().ok_or_else(unknown)?;
    }
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    page.extend_from_slice(COMMON_SECTIONS.as_bytes());
    Ok(page)
}

/// The sections that the definition of the command line does not have; the same on every page.
const COMMON_SECTIONS: &str = r#".SH FILES
.TP
\fI$CODEX_HOME\fR (default \fI~/.codex\fR)
The directory of the state, shared with the reference program.
.TP
\fI$CODEX_HOME/app\-server.toml\fR
Settings of this server; \fBcodex\-app\-server config\fR lists all of them.
.TP
\fI$CODEX_HOME/config.toml\fR, \fI$CODEX_HOME/auth.json\fR
Configuration of the agent and sign\-in, in the format of the reference program.
.TP
\fI$CODEX_HOME/app\-server.sqlite\fR
The threads. While a server runs, the files with \-wal and \-shm beside it belong to it.
.TP
\fI$CODEX_HOME/app\-server\-control/app\-server\-control.sock\fR
The control socket.
.SH ENVIRONMENT
.TP
\fBCODEX_HOME\fR
See FILES.
.TP
\fBRUST_LOG\fR
What is logged, such as \fIinfo\fR; takes precedence over the setting log.filter.
.TP
\fBLOG_FORMAT\fR
\fIjson\fR: one JSON object a line on stderr. \fItext\fR: lines for people.
.TP
\fBNO_COLOR\fR
Set to anything: no colours.
.TP
\fBOPENAI_API_KEY\fR, \fBCODEX_API_KEY\fR
Keys for the model provider openai.
.TP
\fBCODEX_APP_SERVER_LOGIN_ISSUER\fR
Another issuer of accounts, by its URL, for the sign\-in with a code.
.TP
\fBHTTPS_PROXY\fR, \fBHTTP_PROXY\fR, \fBALL_PROXY\fR, \fBNO_PROXY\fR, \fBSSL_CERT_FILE\fR
For outgoing connections.
.SH SIGNALS
.TP
SIGTERM, SIGINT
A server finishes running work, refuses new work and exits; the same signal again ends it at once. A client command ends.
.TP
SIGHUP
A server without a terminal reads its settings and token files again; otherwise the same as SIGTERM.
.SH EXIT STATUS
.TP
0
Ended as asked.
.TP
1
Failed; the last line on stderr says why.
.TP
2
Wrong command line.
.TP
69
No server is running, or it has ended.
.TP
75
It may succeed a little later: the socket, the port or the database is in use, or the server is full or busy.
.TP
78
A setting, a file or a variable must be corrected first.
"#;
