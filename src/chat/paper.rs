//! What a conversation prints: the text of the answers as it comes, or every message as JSON.

use crate::{
    call::Printer,
    output::Unwritten,
    terminal::{shown, shown_in_one_line},
};

/// What begins each line of a command's output.
const INDENT: &str = "  ";

/// Dims what follows, and ends that.
const DIM: [&str; 2] = ["\x1b[2m", "\x1b[0m"];

/// stdout of a conversation.
pub struct Paper {
    printer: Printer,
    json: bool,
    /// The item that wrote last.
    last: Option<String>,
    /// The answer of which a part is printed.
    answer: Option<String>,
    /// Whether the last text ended a line.
    ends_line: bool,
    /// A person can type behind the last text.
    is_asking: bool,
}

impl Paper {
    /// Prints JSON lines if `json`.
    pub fn new(printer: Printer, json: bool) -> Self {
        Self {
            printer: if json { printer.lines() } else { printer },
            json,
            last: None,
            answer: None,
            ends_line: true,
            is_asking: false,
        }
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
        self.turn_to(item).await?;
        self.answer = Some(item.to_owned());
        self.write(text).await
    }

    /// An answer is complete: prints `text` if no piece of it came before, and ends the line.
    pub async fn complete(&mut self, item: &str, text: &str) -> Result<(), Unwritten> {
        if self.answer.take().as_deref() != Some(item) {
            self.turn_to(item).await?;
            self.write(text).await?;
        }
        self.end_line().await
    }

    /// Prints more output of a command, indented. Nobody but a person at a terminal wants to see it.
    pub async fn output(&mut self, item: &str, text: &str) -> Result<(), Unwritten> {
        if !self.is_for_people() {
            return Ok(());
        }
        self.turn_to(item).await?;
        let mut indented = String::with_capacity(text.len() + 64);
        for line in text.replace("\r\n", "\n").split_inclusive('\n') {
            if self.ends_line {
                indented.push_str(INDENT);
            }
            indented.push_str(line);
            self.ends_line = line.ends_with('\n');
        }
        self.dim(&indented).await
    }

    /// Prints what the agent does: on the terminal of a person, otherwise on stderr, so that stdout is the answer alone.
    pub async fn action(&mut self, text: &str) -> Result<(), Unwritten> {
        if self.json {
            return Ok(());
        }
        if !self.is_for_people() {
            notice(text);
            return Ok(());
        }
        self.end_line().await?;
        self.last = None;
        self.dim(text).await?;
        self.write("\n").await
    }

    /// The same in several lines.
    pub async fn actions(&mut self, lines: impl IntoIterator<Item = String>) -> Result<(), Unwritten> {
        for line in lines {
            self.action(&line).await?;
        }
        Ok(())
    }

    /// Prints a line of our own, on a line of its own.
    pub async fn line(&mut self, text: &str) -> Result<(), Unwritten> {
        if self.json {
            return Ok(());
        }
        self.end_line().await?;
        self.write(&format!("{text}\n")).await
    }

    /// Prints what asks a person for the next message, unless that stands there already.
    pub async fn prompt(&mut self) -> Result<(), Unwritten> {
        if self.is_for_people() && !self.is_asking { self.ask("> ").await } else { Ok(()) }
    }

    /// Prints `text`, behind which a person types a line.
    pub async fn ask(&mut self, text: &str) -> Result<(), Unwritten> {
        self.end_line().await?;
        self.write(text).await?;
        (self.is_asking, self.last) = (true, None);
        Ok(())
    }

    /// The person has typed a line, which ends it on the terminal too.
    pub fn heard(&mut self) {
        (self.is_asking, self.ends_line) = (false, true);
    }

    /// Resolves when stdout is closed.
    pub async fn unread(&self) {
        self.printer.unread().await;
    }

    /// Another item writes on a line of its own.
    async fn turn_to(&mut self, item: &str) -> Result<(), Unwritten> {
        if self.last.as_deref() != Some(item) {
            self.end_line().await?;
            self.last = Some(item.to_owned());
        }
        Ok(())
    }

    async fn dim(&mut self, text: &str) -> Result<(), Unwritten> {
        let text = shown(text);
        let [begin, end] = if self.printer.is_coloured() { DIM } else { [""; 2] };
        Ok(self.printer.page(&format!("{begin}{text}{end}")).await?)
    }

    async fn end_line(&mut self) -> Result<(), Unwritten> {
        self.is_asking = false;
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
