//! What the model is told before the user's words: how to work, and where.

use std::path::Path;

use crate::protocol::model::{HistoryItem, Role};
use crate::protocol::settings::{ModeKind, SandboxPolicy};

/// How the agent works, for every model and provider.
const BASE: &str = include_str!("base.md");

/// How to use the tools of this server.
const TOOLS: &str = include_str!("tools.md");

/// How the agent works while it plans.
const PLAN_MODE: &str = include_str!("plan_mode.md");

/// How the entry of [`way_of_working`] begins.
pub const WAY_OF_WORKING: &str = "<way_of_working>";

/// The text that stands before everything else: the client's own in place of ours, where it has one, and what the client
/// wants said in addition.
pub fn instructions(base: Option<&str>, developer: Option<&str>) -> String {
    let ours = || format!("{}\n\n{}", BASE.trim(), TOOLS.trim());
    let base = base.map_or_else(ours, |base| base.trim().to_owned());
    match developer.map(str::trim).filter(|text| !text.is_empty()) {
        Some(developer) => format!("{base}\n\n{developer}"),
        None => base,
    }
}

/// What the model is told of the way in which user and agent share the work. `None` where that goes without saying:
/// the agent does the work, and was not told otherwise before.
pub fn way_of_working(mode: ModeKind, instructions: Option<&str>, was_told_before: bool) -> Option<HistoryItem> {
    let words = match (mode, instructions) {
        (_, Some(instructions)) => instructions,
        (ModeKind::Plan, None) => PLAN_MODE,
        (ModeKind::Default, None) if was_told_before => "The time of planning is over: do the work.",
        (ModeKind::Default, None) => return None,
    };
    Some(HistoryItem::text(Role::User, format!("{WAY_OF_WORKING}\n{}\n</way_of_working>", words.trim())))
}

/// The surroundings of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings<'a> {
    /// The working directory.
    pub cwd: &'a Path,
    /// What commands may touch.
    pub sandbox: &'a SandboxPolicy,
    /// The day, as in `2026-11-29`.
    pub date: &'a str,
    /// The time zone, as in `Europe/Vienna`.
    pub time_zone: &'a str,
}

impl Surroundings<'_> {
    /// A few lines for the model.
    pub fn describe(&self) -> HistoryItem {
        let Self { cwd, sandbox, date, time_zone } = self;
        let (sandbox, network, roots) = match sandbox {
            SandboxPolicy::DangerFullAccess => ("none: commands may do whatever the user may", true, &[][..]),
            SandboxPolicy::ExternalSandbox { network_access } => {
                let network = *network_access == crate::protocol::settings::NetworkAccess::Enabled;
                ("set up by the surroundings", network, &[][..])
            }
            SandboxPolicy::ReadOnly { network_access } => {
                ("commands may read, and write nothing", *network_access, &[][..])
            }
            SandboxPolicy::WorkspaceWrite { writable_roots, network_access, .. } => {
                ("commands may read, and write below the working directory", *network_access, &writable_roots[..])
            }
        };
        let mut text = format!("<environment>\nworking directory: {}\nsandbox: {sandbox}", cwd.display());
        if !roots.is_empty() {
            text.push_str(&format!(" and below {}", roots.join(", ")));
        }
        let network = if network { "yes" } else { "no" };
        text.push_str(&format!("\nnetwork: {network}\ndate: {date} ({time_zone})\n</environment>"));
        HistoryItem::text(Role::User, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_base_replaces_ours_and_its_addition_follows() {
        assert!(instructions(None, None).starts_with("You are a coding agent."));
        assert_eq!(instructions(Some("Be terse.\n"), Some(" Really. ")), "Be terse.\n\nReally.");
        assert_eq!(instructions(Some("Be terse."), Some("  ")), "Be terse.");
    }

    #[test]
    fn the_surroundings_fit_into_a_few_lines() {
        let sandbox = SandboxPolicy::WorkspaceWrite {
            writable_roots: vec!["/srv/out".to_owned()],
            network_access: false,
            exclude_tmpdir_env_var: false,
            exclude_slash_tmp: false,
        };
        let place = Surroundings { cwd: Path::new("/p"), sandbox: &sandbox, date: "2026-11-29", time_zone: "UTC" };
        let text = place.describe().said();
        assert!(text.len() < 300, "{text}");
        assert!(text.contains("below the working directory and below /srv/out\nnetwork: no\n"), "{text}");
    }

    #[test]
    fn a_change_of_the_way_of_working_is_told_in_both_directions() {
        let told = |mode, own, before| way_of_working(mode, own, before).map(|entry| entry.said());
        assert_eq!(told(ModeKind::Default, None, false), None);
        assert!(told(ModeKind::Plan, None, false).unwrap().contains("<proposed_plan>"));
        assert!(told(ModeKind::Default, None, true).unwrap().contains("do the work"));
        assert!(told(ModeKind::Plan, Some("Only sketch."), false).unwrap().contains("Only sketch."));
    }

    #[test]
    fn our_base_text_leaves_room_for_a_small_models_context() {
        assert!(BASE.len() <= 4_000, "{} bytes", BASE.len());
    }
}
