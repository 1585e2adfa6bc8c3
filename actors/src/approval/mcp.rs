//! Whether a call of an MCP tool is made, is asked about, or is refused.
//!
//! Nothing holds an MCP server: it is a program of the user's configuration, or a service elsewhere. So the sandbox
//! policy cannot decide here, and what a tool says of itself does. It is believed, because the user chose the server.

use serde::Deserialize;

use super::decide::Sandbox;
use crate::protocol::settings::AskForApproval;

/// When a tool of an MCP server is asked about: `default_tools_approval_mode` and `tools.<name>.approval_mode` of its
/// configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolApproval {
    /// Unless the tool says that it only reads, or that it destroys nothing and reaches nobody.
    #[default]
    Auto,
    /// Always.
    Prompt,
    /// Unless the tool says that it only reads.
    Writes,
    /// Never.
    Approve,
}

/// What a tool says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToolHints {
    /// It changes nothing.
    pub read_only: Option<bool>,
    /// It may destroy something.
    pub destructive: Option<bool>,
    /// It reaches beyond its own data.
    pub open_world: Option<bool>,
}

/// What happens with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolDecision {
    /// It is made.
    Call,
    /// A person is asked.
    Ask,
    /// It is not made, for this reason (the reference program's words where it has some).
    Refuse(&'static str),
}

/// Whether the person is asked what a server wants to know. Where not, its questions are declined (as the reference program
/// does).
pub fn passes_questions_on(policy: AskForApproval) -> bool {
    match policy {
        AskForApproval::Never => false,
        AskForApproval::Granular(granular) => granular.mcp_elicitations,
        AskForApproval::Untrusted | AskForApproval::OnRequest => true,
    }
}

/// Decides about a call. `allowed` says that a person allowed the tool earlier.
pub fn decide_tool(
    policy: AskForApproval,
    sandbox: Sandbox,
    mode: ToolApproval,
    hints: ToolHints,
    allowed: bool,
) -> ToolDecision {
    let only_reads = hints.read_only == Some(true) && hints.destructive != Some(true);
    let is_harmless = hints.destructive == Some(false) && hints.open_world == Some(false);
    let needs_consent = match mode {
        ToolApproval::Auto => !only_reads && !is_harmless,
        ToolApproval::Prompt => true,
        ToolApproval::Writes => !only_reads,
        ToolApproval::Approve => false,
    };
    match policy {
        _ if !needs_consent || allowed => ToolDecision::Call,
        // Whoever lets commands do everything unasked has answered.
        AskForApproval::Never if sandbox == Sandbox::FullAccess => ToolDecision::Call,
        AskForApproval::Never => ToolDecision::Refuse("MCP tool call requires approval, but approval policy is never"),
        AskForApproval::Granular(granular) if !granular.mcp_elicitations => {
            ToolDecision::Refuse("MCP tool call requires approval, which the approval policy does not let it ask for")
        }
        AskForApproval::Untrusted | AskForApproval::OnRequest | AskForApproval::Granular(_) => ToolDecision::Ask,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::settings::GranularApproval;

    const READS: ToolHints = ToolHints { read_only: Some(true), destructive: None, open_world: None };
    const UNKNOWN: ToolHints = ToolHints { read_only: None, destructive: None, open_world: None };
    const ADDS: ToolHints = ToolHints { read_only: None, destructive: Some(false), open_world: Some(false) };

    fn decided(policy: AskForApproval, mode: ToolApproval, hints: ToolHints) -> ToolDecision {
        decide_tool(policy, Sandbox::WorkspaceWrite, mode, hints, false)
    }

    #[test]
    fn a_tool_is_asked_about_unless_it_says_that_it_is_harmless() {
        use ToolApproval::{Approve, Auto, Prompt, Writes};
        let lies = ToolHints { destructive: Some(true), ..READS };
        for policy in [AskForApproval::OnRequest, AskForApproval::Untrusted] {
            for (mode, reads, adds, unknown) in [
                (Auto, ToolDecision::Call, ToolDecision::Call, ToolDecision::Ask),
                (Writes, ToolDecision::Call, ToolDecision::Ask, ToolDecision::Ask),
                (Prompt, ToolDecision::Ask, ToolDecision::Ask, ToolDecision::Ask),
                (Approve, ToolDecision::Call, ToolDecision::Call, ToolDecision::Call),
            ] {
                assert_eq!(decided(policy, mode, READS), reads, "{mode:?}");
                assert_eq!(decided(policy, mode, ADDS), adds, "{mode:?}");
                assert_eq!(decided(policy, mode, UNKNOWN), unknown, "{mode:?}");
                assert_eq!(decided(policy, mode, lies), unknown, "{mode:?}");
            }
        }
    }

    #[test]
    fn who_is_never_asked_gets_what_the_sandbox_would_give() {
        let never = AskForApproval::Never;
        assert!(matches!(decided(never, ToolApproval::Auto, UNKNOWN), ToolDecision::Refuse(_)));
        assert_eq!(decided(never, ToolApproval::Auto, READS), ToolDecision::Call);
        let free = |mode| decide_tool(never, Sandbox::FullAccess, mode, UNKNOWN, false);
        assert_eq!(free(ToolApproval::Auto), ToolDecision::Call);
        let confined = |sandbox| decide_tool(never, sandbox, ToolApproval::Auto, UNKNOWN, false);
        assert!(matches!(confined(Sandbox::ReadOnly), ToolDecision::Refuse(_)));
    }

    #[test]
    fn what_was_allowed_is_not_asked_again_and_a_kind_that_may_not_be_asked_is_refused() {
        let allowed = |policy| decide_tool(policy, Sandbox::ReadOnly, ToolApproval::Prompt, UNKNOWN, true);
        assert_eq!(allowed(AskForApproval::OnRequest), ToolDecision::Call);
        let granular = |mcp_elicitations| {
            AskForApproval::Granular(GranularApproval {
                sandbox_approval: true,
                rules: true,
                skill_approval: true,
                request_permissions: true,
                mcp_elicitations,
            })
        };
        assert_eq!(decided(granular(true), ToolApproval::Auto, UNKNOWN), ToolDecision::Ask);
        assert!(matches!(decided(granular(false), ToolApproval::Auto, UNKNOWN), ToolDecision::Refuse(_)));
        let policies = [AskForApproval::OnRequest, granular(true), granular(false), AskForApproval::Never];
        assert_eq!(policies.map(passes_questions_on), [true, true, false, false]);
    }
}
