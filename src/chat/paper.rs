//! What a conversation prints: the text of the answers as it comes, or every message as JSON.

use crate::{
    call::Printer,
    output::Unwritten,
    terminal::{shown, shown_in_one_line},
};

/// stdout of a conversation.
pub struct Paper {
    printer: Printer,
    json: bool,
    /// The item whose text is being printed, and whether the last text ended a line.
    item: Option<String>,
    ends_line: bool,
}

impl Paper {
    /// Prints JSON lines if `json`.
    pub fn new(printer: Printer, json: bool) -> Self {
        Self { printer: if json { printer.lines() } else { printer }, json, item: None, ends_line: true }
    }

    /// Whether messages are printed as JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person reads along.
    pub fn is_for_people(&self) -> bool {
        !self.json && self.printer.is_terminal()
    }

    /// Prints a message of the server.
    pub async fn message(&mut self, json: &str) -> Result<(), Unwritten> {
        Ok(self.printer.json(json).await?)
    }

    /// Prints more text of an answer.
    pub async fn piece(&mut self, item: &str, text: &str) -> Result<(), Unwritten> {
        self.item = Some(item.to_owned());
        self.write(text).await
    }

    /// An answer is complete: prints `text` if no piece of it came before, and ends the line.
    pub async fn complete(&mut self, item: &str, text: &str) -> Result<(), Unwritten> {
        if self.item.take().as_deref() != Some(item) {
            self.write(text).await?;
        }
        self.end_line().await
    }

    /// Prints a line of our own, on a line of its own.
    pub async fn line(&mut self, text: &str) -> Result<(), Unwritten> {
        if self.json {
            return Ok(());
        }
        self.end_line().await?;
        self.write(&format!("{text}\n")).await
    }

    /// Prints what asks a person for the next message.
    pub async fn prompt(&mut self) -> Result<(), Unwritten> {
        if self.is_for_people() {
            self.end_line().await?;
            self.printer.page("> ").await?;
        }
        Ok(())
    }

    /// Resolves when stdout is closed.
    pub async fn unread(&self) {
        self.printer.unread().await;
    }

    async fn end_line(&mut self) -> Result<(), Unwritten> {
        if self.ends_line { Ok(()) } else { self.write("\n").await }
    }

    async fn write(&mut self, text: &str) -> Result<(), Unwritten> {
        if !text.is_empty() {
            self.ends_line = text.ends_with('\n');
            self.printer.page(&shown(text)).await?;
        }
        Ok(())
    }
}

/// A notice beside the conversation, for stderr.
pub fn notice(text: &str) {
    let text = shown_in_one_line(text);
    crate::logging::say(&text, &format!("{text}\n"));
}
