//! What is open around a command: parentheses and `case`. Where a `)` belongs decides what is read as text and what as
//! commands, so anything unexpected is told.

/// Something that is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// Commands in parentheses.
    Commands,
    /// A list of words, or arithmetic.
    Words,
    Case(Phase),
}

/// Where in a `case` the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before its word.
    Word,
    /// Before its `in`.
    In,
    /// Before a pattern or `esac`.
    Start,
    /// In a pattern.
    Pattern,
    /// In the commands of a pattern.
    Commands,
}

/// What a word means where it stands.
#[derive(PartialEq, Eq)]
pub(super) enum Meaning {
    /// It belongs to a command.
    OfCommand,
    /// It belongs to a `case`.
    OfCase,
    /// It cannot stand there.
    Unexpected,
}

/// What is open, the innermost last.
#[derive(Default)]
pub(super) struct Nesting {
    open: Vec<Open>,
}

impl Nesting {
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Takes a word; `is_bare` if nothing of it was quoted or expanded.
    pub(super) fn word(&mut self, word: &str, is_bare: bool) -> Meaning {
        match self.open.last_mut() {
            Some(Open::Case(phase)) => match phase {
                Phase::Word => *phase = Phase::In,
                Phase::In if is_bare && word == "in" => *phase = Phase::Start,
                Phase::In => return Meaning::Unexpected,
                Phase::Start if is_bare && word == "esac" => {
                    self.open.pop();
                }
                Phase::Start | Phase::Pattern => *phase = Phase::Pattern,
                Phase::Commands => return Meaning::OfCommand,
            },
            // It may be arithmetic or not.
            Some(Open::Words) if is_bare && matches!(word, "case" | "esac" | "function") => return Meaning::Unexpected,
            _ => return Meaning::OfCommand,
        }
        Meaning::OfCase
    }

    /// Whether keywords are known here.
    pub(super) fn has_keywords(&self) -> bool {
        self.open.last() != Some(&Open::Words)
    }

    pub(super) fn begin_case(&mut self) {
        self.open.push(Open::Case(Phase::Word));
    }

    /// Ends a `case`; whether there is one that can end.
    pub(super) fn end_case(&mut self) -> bool {
        self.open.pop_if(|open| *open == Open::Case(Phase::Commands)).is_some()
    }

    /// A `(` that opens commands, or else words.
    pub(super) fn open(&mut self, has_commands: bool) {
        match self.open.last_mut() {
            // The one that may stand before a pattern.
            Some(Open::Case(phase @ Phase::Start)) => *phase = Phase::Pattern,
            _ => self.open.push(if has_commands { Open::Commands } else { Open::Words }),
        }
    }

    /// A `)`; whether it closes something. If not, it closes what is around all of this.
    pub(super) fn close(&mut self) -> Option<bool> {
        match self.open.last_mut() {
            None => Some(false),
            Some(Open::Case(phase @ Phase::Pattern)) => {
                *phase = Phase::Commands;
                Some(true)
            }
            Some(Open::Case(_)) => None,
            Some(Open::Commands | Open::Words) => {
                self.open.pop();
                Some(true)
            }
        }
    }

    /// A `;;`; whether it may stand here.
    pub(super) fn next_pattern(&mut self) -> bool {
        match self.open.last_mut() {
            Some(Open::Case(phase @ Phase::Commands)) => {
                *phase = Phase::Start;
                true
            }
            _ => false,
        }
    }

    /// Whether `operator` may end a command here.
    pub(super) fn may_end(&self, operator: u8) -> bool {
        match self.open.last() {
            Some(Open::Case(Phase::Word)) => false,
            Some(Open::Case(Phase::In | Phase::Start)) => operator == b'\n',
            Some(Open::Case(Phase::Pattern)) => operator == b'|',
            _ => true,
        }
    }
}
