//! Output on stdout: lines for programs, and a more readable form on a terminal.

use std::io::{self, IsTerminal as _};

use tokio::io::AsyncWriteExt as _;

use super::pretty::pretty;
use crate::{
    listen::{Output, open_stdio},
    terminal::{shown, shown_json},
};

/// stdout.
pub struct Printer {
    output: Output,
    style: Style,
}

enum Style {
    /// One JSON text per line, as sent by the server.
    Lines,
    Pretty {
        colour: bool,
    },
}

impl Printer {
    /// For people if stdout is a terminal; in colour unless `NO_COLOR` is set or the terminal is dumb.
    pub fn of_stdout() -> Self {
        let (_, output) = open_stdio();
        let says = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let colour = says("NO_COLOR").is_none() && says("TERM").is_some_and(|term| term != "dumb");
        let style = if io::stdout().is_terminal() { Style::Pretty { colour } } else { Style::Lines };
        Self { output, style }
    }

    /// The same with one message per line, also on a terminal.
    #[must_use]
    pub fn lines(self) -> Self {
        Self { style: Style::Lines, ..self }
    }

    /// Whether stdout is a terminal.
    pub fn is_terminal(&self) -> bool {
        matches!(self.style, Style::Pretty { .. })
    }

    /// Whether stdout shows colours.
    pub fn is_coloured(&self) -> bool {
        matches!(self.style, Style::Pretty { colour: true })
    }

    /// Prints a JSON text.
    pub async fn json(&mut self, json: &str) -> io::Result<()> {
        let json = shown_json(json);
        let text = match self.style {
            Style::Lines => json.replace(['\n', '\r'], " "),
            Style::Pretty { colour } => pretty(&json, colour),
        };
        self.page(&format!("{text}\n")).await
    }

    /// Prints text that may contain input from elsewhere.
    pub async fn text(&mut self, text: &str) -> io::Result<()> {
        self.page(&shown(text)).await
    }

    /// Prints our own text, including colours. Parts from elsewhere must be escaped already.
    pub async fn page(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(text.as_bytes()).await?;
        self.output.flush().await
    }

    /// Resolves when stdout is closed.
    pub async fn unread(&self) {
        self.output.unread().await;
    }
}
