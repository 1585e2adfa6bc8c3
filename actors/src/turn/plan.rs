//! Plans in what a model says: the lines between `<proposed_plan>` and `</proposed_plan>`, where each tag has a line of its
//! own. Clients see such a block as an item, and the message without it.

use std::mem::take;

use crate::protocol::item::Plan;

/// A piece of what a model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text of the message.
    Said(String),
    /// A plan begins.
    Begins,
    /// Text of the plan.
    Planned(String),
    /// The plan ends.
    Ends,
}

/// Bytes of white space around a tag. A line with more is text, so that no more than this is held back.
const MOST_SPACE: usize = 64;

/// Finds plans in text that comes in pieces, cut anywhere. It holds back no more than the beginning of a line that may
/// become a tag.
#[derive(Default)]
pub(super) struct PlanFinder {
    in_plan: bool,
    /// The line so far, as long as it may become a tag.
    held: String,
    /// The line is known to be text.
    is_text: bool,
}

impl PlanFinder {
    /// What more text means.
    pub(super) fn push(&mut self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for part in text.split_inclusive('\n') {
            if self.is_text {
                self.say(part, &mut pieces);
            } else {
                self.held.push_str(part);
                self.look(&mut pieces);
            }
            if part.ends_with('\n') {
                self.is_text = false;
            }
        }
        pieces
    }

    /// There is no more text: what was held back, and the end of a plan that has none.
    pub(super) fn finish(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let last = take(&mut self.held);
        if last.trim() == self.tag() {
            self.turn(&mut pieces);
        } else {
            self.say(&last, &mut pieces);
        }
        if take(&mut self.in_plan) {
            pieces.push(Piece::Ends);
        }
        pieces
    }

    /// Decides what the line that is held back is, if that is known.
    fn look(&mut self, pieces: &mut Vec<Piece>) {
        let line = self.held.trim();
        let is_short = self.held.len() <= self.tag().len() + MOST_SPACE;
        if self.held.ends_with('\n') && line == self.tag() && is_short {
            self.held.clear();
            return self.turn(pieces);
        }
        if self.held.ends_with('\n') || !self.tag().starts_with(line) || !is_short {
            self.is_text = true;
            let text = take(&mut self.held);
            self.say(&text, pieces);
        }
    }

    /// The tag for which it looks.
    fn tag(&self) -> &'static str {
        if self.in_plan { Plan::END } else { Plan::BEGIN }
    }

    fn turn(&mut self, pieces: &mut Vec<Piece>) {
        self.in_plan = !self.in_plan;
        pieces.push(if self.in_plan { Piece::Begins } else { Piece::Ends });
    }

    fn say(&self, text: &str, pieces: &mut Vec<Piece>) {
        if text.is_empty() {
            return;
        }
        match pieces.last_mut() {
            Some(Piece::Said(said)) if !self.in_plan => said.push_str(text),
            Some(Piece::Planned(planned)) if self.in_plan => planned.push_str(text),
            _ if self.in_plan => pieces.push(Piece::Planned(text.to_owned())),
            _ => pieces.push(Piece::Said(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the pieces mean together: neighbours of one kind are one.
    fn found<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Piece> {
        let mut finder = PlanFinder::default();
        let mut pieces = Vec::new();
        for text in texts {
            pieces.extend(finder.push(text));
            assert!(finder.held.len() <= Plan::END.len() + MOST_SPACE, "{:?} is held back", finder.held);
        }
        pieces.extend(finder.finish());
        pieces.into_iter().fold(Vec::new(), |mut joined, piece| {
            match (joined.last_mut(), piece) {
                (Some(Piece::Said(text)), Piece::Said(more)) | (Some(Piece::Planned(text)), Piece::Planned(more)) => {
                    text.push_str(&more);
                }
                (_, piece) => joined.push(piece),
            }
            joined
        })
    }

    fn said(text: &str) -> Piece {
        Piece::Said(text.to_owned())
    }

    fn planned(text: &str) -> Piece {
        Piece::Planned(text.to_owned())
    }

    #[test]
    fn a_block_is_a_plan_and_the_rest_is_said() {
        let text = "Here:\n<proposed_plan>\n- a\n- b\n</proposed_plan>\nDone.";
        let pieces = [said("Here:\n"), Piece::Begins, planned("- a\n- b\n"), Piece::Ends, said("Done.")];
        assert_eq!(found([text]), pieces);
    }

    #[test]
    fn a_tag_within_a_line_is_text_and_an_open_block_ends_with_the_text() {
        let inline = "use <proposed_plan> and </proposed_plan>\n";
        assert_eq!(found([inline]), [said(inline)]);
        assert_eq!(found(["<proposed_plan>\n- a"]), [Piece::Begins, planned("- a"), Piece::Ends]);
        assert_eq!(found(["<proposed_plan>\n- a\n  </proposed_plan>"]), [Piece::Begins, planned("- a\n"), Piece::Ends]);
        assert_eq!(found(["</proposed_plan>\n"]), [said("</proposed_plan>\n")], "nothing was open");
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_text_is_cut(
            lines in prop::collection::vec(
                "( {60,80})?(<proposed_plan>|</proposed_plan>| ?<prop|a|)( {60,80})?[ x]?\n?", 0..8),
            cuts in prop::collection::vec(0_usize..2000, 0..12),
        ) {
            let text = lines.concat();
            let mut at: Vec<usize> = cuts.into_iter().map(|cut| cut % (text.len() + 1)).collect();
            at.extend([0, text.len()]);
            at.sort_unstable();
            let cut = at.windows(2).map(|range| &text[range[0]..range[1]]);
            prop_assert_eq!(found(cut), found([text.as_str()]));
        }
    }
}
