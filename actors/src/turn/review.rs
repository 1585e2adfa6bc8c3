//! A review: the model looks at changes with fresh eyes, in a conversation of its own, and what it found becomes part of the
//! thread's.

use serde::Deserialize;

use super::answer::started;
use super::messages::{ReviewWanted, TurnEvent};
use super::run::{Run, Stop};
use super::task::TurnRules;
use super::tools::only_looks;
use crate::protocol::item::{AgentMessage, Item, ItemKind, Review};
use crate::protocol::model::{HistoryItem, Role};
use crate::protocol::review::ReviewTarget;
use crate::protocol::settings::{ModeKind, NetworkAccess, SandboxPolicy};

/// How the reviewer works.
const REVIEWER: &str = include_str!("review.md");

impl TurnRules {
    /// The rules for a review in place of a conversation: it only reads, and brings its own instructions.
    pub fn for_review(self) -> Self {
        let network_access = match &self.commands.sandbox {
            SandboxPolicy::DangerFullAccess => true,
            SandboxPolicy::ExternalSandbox { network_access } => *network_access == NetworkAccess::Enabled,
            SandboxPolicy::ReadOnly { network_access } | SandboxPolicy::WorkspaceWrite { network_access, .. } => {
                *network_access
            }
        };
        let mut rules = self;
        rules.commands.sandbox = SandboxPolicy::ReadOnly { network_access };
        rules.mode = ModeKind::Default;
        rules.mode_instructions = None;
        rules.output_schema = None;
        rules.base_instructions = Some(REVIEWER.to_owned());
        rules.tools = rules.tools.iter().filter(|tool| only_looks(tool)).cloned().collect();
        rules.client_tools = [].into();
        rules.mcp_servers = Default::default();
        rules
    }
}

/// What is reviewed, in a few words for people.
pub fn label(target: &ReviewTarget) -> String {
    match target {
        ReviewTarget::UncommittedChanges => "current changes".to_owned(),
        ReviewTarget::BaseBranch { branch } => format!("changes against '{branch}'"),
        ReviewTarget::Commit { sha, title } => {
            let short = sha.get(..7).unwrap_or(sha);
            title.as_ref().map_or_else(|| format!("commit {short}"), |title| format!("commit {short}: {title}"))
        }
        ReviewTarget::Custom { instructions } => instructions.trim().to_owned(),
    }
}

/// The same for the reviewer.
fn question(target: &ReviewTarget) -> String {
    match target {
        ReviewTarget::UncommittedChanges => {
            "Review what differs from the last commit: staged, unstaged and untracked files.".to_owned()
        }
        ReviewTarget::BaseBranch { branch } => format!(
            "Review what this branch changes against the branch `{branch}`: find the merge base with \
             `git merge-base HEAD {branch}`, and look at the difference to it."
        ),
        ReviewTarget::Commit { sha, title } => {
            let title = title.as_ref().map(|title| format!(" (\"{title}\")")).unwrap_or_default();
            format!("Review what the commit {sha}{title} changes.")
        }
        ReviewTarget::Custom { instructions } => instructions.trim().to_owned(),
    }
}

impl Run {
    /// Runs a review as a turn of its own.
    pub(super) async fn review(&mut self, ReviewWanted { reply, target }: ReviewWanted) -> Result<(), Stop> {
        let label = label(&target);
        self.reporter.push(TurnEvent::ReviewBegan { reply, label: label.clone() });
        self.show_whole(ItemKind::EnteredReviewMode(Review { review: label }), Vec::new());
        self.reporter.flush().await?;
        let conversation = std::mem::take(&mut self.history);
        self.aside = true;
        let found = self.examine(&target).await;
        self.aside = false;
        self.history = conversation;
        // What a reviewer leaves running serves nobody.
        self.toolbox.end_shells().await;
        let shown = match &found {
            Ok(text) => text.clone(),
            Err(Stop::Interrupted) => "The review was interrupted.".to_owned(),
            Err(Stop::Failed(error)) => format!("The review failed: {}", error.message),
            Err(Stop::Gone) => return Err(Stop::Gone),
        };
        self.show_whole(ItemKind::ExitedReviewMode(Review { review: shown }), Vec::new());
        let text = found?;
        let asked = format!("<review>\nA reviewer was asked: {}\nThe findings follow.\n</review>", question(&target));
        let history = vec![HistoryItem::text(Role::User, asked), HistoryItem::text(Role::Assistant, text.clone())];
        self.history.extend(history.iter().cloned());
        self.show_whole(ItemKind::AgentMessage(AgentMessage { text, ..AgentMessage::default() }), history);
        Ok(self.reporter.flush().await?)
    }

    /// The conversation with the reviewer. The findings come back as people read them.
    async fn examine(&mut self, target: &ReviewTarget) -> Result<String, Stop> {
        self.history = self.place().await?;
        self.history.push(HistoryItem::text(Role::User, question(target)));
        loop {
            let answered = self.answer().await?;
            if !answered.goes_on {
                return Ok(findings(&answered.text));
            }
        }
    }

    /// An item that starts and completes at once.
    fn show_whole(&mut self, kind: ItemKind, history: Vec<HistoryItem>) {
        let now = self.setup.clock.unix_ms();
        let item = started(kind, now);
        self.reporter.push(TurnEvent::ItemStarted(item.clone()));
        self.reporter.push(TurnEvent::ItemCompleted { item: Item { completed_at_ms: Some(now), ..item }, history });
    }
}

/// The findings of a reviewer. Small models leave members out, or write other text around them.
#[derive(Deserialize)]
struct Findings {
    #[serde(default)]
    findings: Vec<Finding>,
    #[serde(default)]
    overall_explanation: Option<String>,
    #[serde(default)]
    overall_correctness: Option<String>,
}

#[derive(Deserialize)]
struct Finding {
    title: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    code_location: Option<Location>,
}

#[derive(Deserialize)]
struct Location {
    absolute_file_path: String,
    #[serde(default)]
    line_range: Option<Lines>,
}

#[derive(Deserialize)]
struct Lines {
    start: u64,
    end: u64,
}

/// What people read: the explanation, and one block for each finding. Text of any other form stays as it is.
fn findings(text: &str) -> String {
    let text = text.trim();
    let parsed = text.find('{').zip(text.rfind('}')).and_then(|(start, end)| text.get(start..=end));
    let Some(Findings { findings, overall_explanation, overall_correctness }) =
        parsed.and_then(|json| serde_json::from_str(json).ok())
    else {
        return if text.is_empty() { "The reviewer wrote nothing.".to_owned() } else { text.to_owned() };
    };
    let explanation = overall_explanation.or(overall_correctness).unwrap_or_default();
    let heading = match findings.len() {
        0 => None,
        1 => Some("Review comment:"),
        _ => Some("Review comments:"),
    };
    let blocks = [explanation.trim().to_owned()]
        .into_iter()
        .chain(heading.map(str::to_owned))
        .chain(findings.iter().map(Finding::shown))
        .filter(|block| !block.is_empty());
    let shown = blocks.collect::<Vec<_>>().join("\n\n");
    if shown.is_empty() { "No findings.".to_owned() } else { shown }
}

impl Finding {
    fn shown(&self) -> String {
        let mut block = format!("- {}", self.title.trim());
        if let Some(Location { absolute_file_path, line_range }) = &self.code_location {
            block.push_str(&format!(" — {absolute_file_path}"));
            if let Some(Lines { start, end }) = line_range {
                block.push_str(&format!(":{start}-{end}"));
            }
        }
        for line in self.body.trim().lines() {
            block.push_str(&format!("\n  {line}"));
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_shown_as_people_read_them() {
        let json = r#"Here: ```json
            {"findings": [{"title": "[P1] bad", "body": "b\nc", "code_location":
            {"absolute_file_path": "/w/f.txt", "line_range": {"start": 1, "end": 2}}}, {"title": "also"}],
            "overall_explanation": "Not yet."}```"#;
        let shown = "Not yet.\n\nReview comments:\n\n- [P1] bad — /w/f.txt:1-2\n  b\n  c\n\n- also";
        assert_eq!(findings(json), shown);
        assert_eq!(findings(r#"{"findings": [], "overall_correctness": "patch is correct"}"#), "patch is correct");
        assert_eq!(findings(r#"{"findings": []}"#), "No findings.");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        assert_eq!(findings(" It looks {fine} to me. "), "It looks {fine} to me.");
        assert_eq!(findings("  "), "The reviewer wrote nothing.");
    }

    #[test]
    fn a_label_says_what_is_reviewed() {
        let commit = |sha: &str, title: Option<&str>| {
            label(&ReviewTarget::Commit { sha: sha.to_owned(), title: title.map(str::to_owned) })
        };
        assert_eq!(commit("0123456789", Some("Mend it")), "commit 0123456: Mend it");
        assert_eq!(commit("äöü", None), "commit äöü");
        assert_eq!(label(&ReviewTarget::BaseBranch { branch: "main".to_owned() }), "changes against 'main'");
    }

    #[test]
    fn a_reviewer_only_reads_whatever_the_thread_may_do() {
        let rules = TurnRules::of_a_test();
        assert_eq!(rules.commands.sandbox, SandboxPolicy::DangerFullAccess);
        assert_eq!(rules.for_review().commands.sandbox, SandboxPolicy::ReadOnly { network_access: true });
    }
}
