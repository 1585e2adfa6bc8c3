//! What a person allowed in one thread. It lives as long as the thread is loaded.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use super::amendment;
use super::decide::Allowed;
use super::destructive::destructive;
use super::grants::Grants;
use super::harmless::is_harmless_among;
use super::shell::Script;

/// Most commands, files, prefixes and tools that are remembered, each. Those allowed first are forgotten first.
const MOST: usize = 256;

/// Commands, files, prefixes and tools that a person allowed.
#[derive(Debug, Default)]
pub struct Remembered {
    /// Digests of commands.
    commands: VecDeque<[u8; 32]>,
    /// Digests of paths.
    files: VecDeque<[u8; 32]>,
    prefixes: VecDeque<Prefix>,
    /// What commands may do beyond the sandbox.
    pub grants: Grants,
    /// Digests of tools of MCP servers.
    tools: VecDeque<[u8; 32]>,
}

#[derive(Debug, PartialEq, Eq)]
struct Prefix {
    words: Vec<String>,
    /// It was allowed for a command that was to run outside of the sandbox.
    escalated: bool,
}

/// What identifies a command that is allowed for a session.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Program and arguments.
    pub argv: &'a [String],
    /// Working directory.
    pub cwd: &'a str,
    /// Whether it runs in a terminal.
    pub tty: bool,
    /// Whether it is to run outside of the sandbox.
    pub wants_escalation: bool,
}

impl Remembered {
    /// Allows this command for the session. Allowing one outside of the sandbox allows it inside, not the reverse.
    pub fn allow_command(&mut self, command: Identity<'_>) {
        keep(&mut self.commands, command.digest());
    }

    /// Allows changing these files for the session.
    pub fn allow_files<'a>(&mut self, files: impl IntoIterator<Item = &'a str>) {
        for file in files {
            keep(&mut self.files, Sha256::digest(file).into());
        }
    }

    /// Allows commands that begin with `words`; whether it did. It does not for a prefix that allows anything, or one
    /// over 4 KiB.
    pub fn allow_prefix(&mut self, words: &[String], escalated: bool) -> bool {
        let is_acceptable = amendment::is_acceptable(words);
        if is_acceptable {
            keep(&mut self.prefixes, Prefix { words: words.to_vec(), escalated });
        }
        is_acceptable
    }

    /// Allows this tool of this MCP server for the session, whatever its arguments.
    pub fn allow_tool(&mut self, server: &str, tool: &str) {
        keep(&mut self.tools, tool_digest(server, tool));
    }

    /// Whether this tool of this MCP server was allowed.
    pub fn tool(&self, server: &str, tool: &str) -> bool {
        self.tools.contains(&tool_digest(server, tool))
    }

    /// What was allowed that covers a command, whose script this is.
    pub fn command(&self, command: Identity<'_>, script: &Script) -> Allowed {
        let escalated = Identity { wants_escalation: true, ..command };
        if self.commands.contains(&command.digest()) || self.commands.contains(&escalated.digest()) {
            Allowed::Exactly
        } else if self.covers(script, command.wants_escalation) {
            Allowed::Prefix
        } else {
            Allowed::No
        }
    }

    /// What was allowed that covers a change of these files: each of them.
    pub fn files<'a>(&self, files: impl IntoIterator<Item = &'a str>) -> Allowed {
        let mut files = files.into_iter().peekable();
        let known = files.peek().is_some() && files.all(|file| self.files.contains(&Sha256::digest(file).into()));
        if known { Allowed::Exactly } else { Allowed::No }
    }

    /// Whether each command of a plain script begins with a prefix or is harmless. Outside of the sandbox a harmless one
    /// is not enough: it reads what the next one sends away.
    fn covers(&self, script: &Script, wants_escalation: bool) -> bool {
        let Some(commands) = script.plain().filter(|_| !self.prefixes.is_empty()) else { return false };
        let begins = |argv: &[String]| {
            let mut prefixes = self.prefixes.iter().filter(|prefix| prefix.escalated || !wants_escalation);
            prefixes.any(|prefix| argv.starts_with(&prefix.words))
        };
        let covered = commands
            .iter()
            .all(|command| begins(&command.argv) || !wants_escalation && is_harmless_among(command, commands));
        covered && destructive(script).is_none()
    }
}

impl Identity<'_> {
    /// Commands may be long, and many are remembered.
    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update([u8::from(self.tty), u8::from(self.wants_escalation)]);
        for word in std::iter::once(self.cwd).chain(self.argv.iter().map(String::as_str)) {
            digest.update(word.len().to_be_bytes());
            digest.update(word);
        }
        digest.finalize().into()
    }
}

fn tool_digest(server: &str, tool: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(server.len().to_be_bytes());
    digest.update(server);
    digest.update(tool);
    digest.finalize().into()
}

/// Remembers one more, the newest last.
fn keep<T: PartialEq>(known: &mut VecDeque<T>, new: T) {
    known.retain(|one| *one != new);
    if known.len() >= MOST {
        known.pop_front();
    }
    known.push_back(new);
}
