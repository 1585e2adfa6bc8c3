//! What a project may say about the rules in force: it may tighten them, never loosen them.
//!
//! A confined command can write in a project. Were a project believed when it loosens its rules, one command would
//! decide how the next one is confined (law 11).

use toml::{Table, Value};

use super::{Permissions, Settings, TrustLevel, merge};
use crate::protocol::thread::{ApprovalsReviewer, AskForApproval, SandboxMode, SandboxPolicy};

/// What a project may not set at all: where the user's credentials go, what runs outside the sandbox, what commands
/// inherit, which skills are on, what the names of permission profiles mean, and whom to trust.
const NOT_FOR_PROJECTS: [&str; 21] = [
    "allow_login_shell",
    "chatgpt_base_url",
    "cli_auth_credentials_store",
    "experimental_realtime_ws_base_url",
    "hooks",
    "log_dir",
    "mcp_oauth_credentials_store",
    "mcp_servers",
    "model_catalog_json",
    "model_provider",
    "model_providers",
    "notify",
    "openai_base_url",
    "otel",
    "permissions",
    "profile",
    "project_root_markers",
    "projects",
    "shell_environment_policy",
    "skills",
    "sqlite_home",
];

/// The table whose members are judged one by one.
const WORKSPACE: &str = "sandbox_workspace_write";

/// Removes from the settings of a trusted `project` what may not count beside `stronger`, the settings of everybody
/// else together. The names of what was removed come back.
pub fn tighten(project: &mut Table, stronger: &Table) -> Vec<String> {
    let mut removed: Vec<String> =
        NOT_FOR_PROJECTS.into_iter().filter(|name| project.remove(*name).is_some()).map(str::to_owned).collect();
    let mut accepted = stronger.clone();
    for (name, change) in rules(project) {
        let mut changed = accepted.clone();
        merge(&mut changed, &change);
        if loosens(&accepted, &changed) {
            remove(project, &name);
            removed.push(name);
        } else {
            accepted = changed;
        }
    }
    removed
}

/// What `project` says about the rules in force, one by one, each with its name.
fn rules(project: &Table) -> Vec<(String, Table)> {
    let plain = ["sandbox_mode", "default_permissions", "approval_policy", "approvals_reviewer"];
    let plain = plain.into_iter().filter_map(|name| Some((name.to_owned(), single(name, project.get(name)?))));
    let details = project.get(WORKSPACE).and_then(Value::as_table).into_iter().flatten();
    let details = details.map(|(name, value)| {
        let details = Value::Table(single(name, value));
        (format!("{WORKSPACE}.{name}"), single(WORKSPACE, &details))
    });
    plain.chain(details).collect()
}

fn single(name: &str, value: &Value) -> Table {
    Table::from_iter([(name.to_owned(), value.clone())])
}

fn remove(project: &mut Table, name: &str) {
    match name.split_once('.') {
        Some((table, name)) => {
            project.get_mut(table).and_then(Value::as_table_mut).and_then(|table| table.remove(name));
        }
        None => {
            project.remove(name);
        }
    }
}

/// Whether a command may do anything after the change that it may not do before. What cannot be judged does.
fn loosens(before: &Table, after: &Table) -> bool {
    let (Ok(before), Ok(after)) = (Settings::from_table(before), Settings::from_table(after)) else { return true };
    let by_settings = |settings: &Settings| Permissions::by_settings(settings, Some(TrustLevel::Trusted));
    let (Ok(now), Ok(then)) = (by_settings(&before), by_settings(&after)) else { return true };
    // A client may choose this mode for a thread; the details come from the settings then.
    let workspace = |settings: &Settings| Permissions::by_mode(SandboxMode::WorkspaceWrite, settings).sandbox;
    // Where a mode decides, a profile has no effect until the mode is gone.
    let has_wide_profile = after.default_permissions != before.default_permissions
        && after.default_permissions.as_deref().is_some_and(|id| {
            Permissions::by_profile(id, &after).map_or(true, |profile| !within(&profile.sandbox, &now.sandbox))
        });
    has_wide_profile
        || !within(&then.sandbox, &now.sandbox)
        || !within(&workspace(&after), &workspace(&before))
        || !asks_as_much(after.approval_policy, before.approval_policy)
        || !reviewed_as_well(after.approvals_reviewer, before.approvals_reviewer)
}

/// Whether `inner` allows nothing that `outer` does not allow.
fn within(inner: &SandboxPolicy, outer: &SandboxPolicy) -> bool {
    use SandboxPolicy::*;
    match (inner, outer) {
        (_, DangerFullAccess) => true,
        (
            ReadOnly { network_access: inner },
            ReadOnly { network_access: outer } | WorkspaceWrite { network_access: outer, .. },
        ) => inner <= outer,
        (
            WorkspaceWrite { writable_roots, network_access, exclude_tmpdir_env_var, exclude_slash_tmp },
            WorkspaceWrite {
                writable_roots: outer_roots,
                network_access: outer_network,
                exclude_tmpdir_env_var: outer_tmpdir,
                exclude_slash_tmp: outer_tmp,
            },
        ) => {
            writable_roots.iter().all(|root| outer_roots.contains(root))
                && network_access <= outer_network
                && exclude_tmpdir_env_var >= outer_tmpdir
                && exclude_slash_tmp >= outer_tmp
        }
        _ => inner == outer,
    }
}

/// Whether a person is asked at least as often. Only `untrusted` is stricter than every other policy.
fn asks_as_much(inner: Option<AskForApproval>, outer: Option<AskForApproval>) -> bool {
    let implied = AskForApproval::OnRequest;
    let (inner, outer) = (inner.unwrap_or(implied), outer.unwrap_or(implied));
    inner == outer || inner == AskForApproval::Untrusted
}

fn reviewed_as_well(inner: Option<ApprovalsReviewer>, outer: Option<ApprovalsReviewer>) -> bool {
    let (inner, outer) = (inner.unwrap_or_default(), outer.unwrap_or_default());
    inner == outer || inner == ApprovalsReviewer::User
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of `project` beside `stronger`, and what was removed.
    fn tightened(stronger: &str, project: &str) -> (Table, Vec<String>) {
        let mut project = toml::from_str(project).unwrap();
        let removed = tighten(&mut project, &toml::from_str(stronger).unwrap());
        (project, removed)
    }

    fn counts(stronger: &str, project: &str) {
        assert_eq!(tightened(stronger, project), (toml::from_str(project).unwrap(), Vec::new()), "{project}");
    }

    fn removes(stronger: &str, project: &str, name: &str) {
        let (_, removed) = tightened(stronger, project);
        assert_eq!(removed, [name], "{project} beside {stronger}");
    }

    #[test]
    fn a_project_may_tighten() {
        counts("sandbox_mode = 'danger-full-access'", "sandbox_mode = 'workspace-write'");
        counts("sandbox_mode = 'workspace-write'", "sandbox_mode = 'read-only'");
        counts("", "default_permissions = ':read-only'");
        counts("approval_policy = 'never'", "approval_policy = 'untrusted'");
        counts("approvals_reviewer = 'auto_review'", "approvals_reviewer = 'user'");
        counts(
            "sandbox_mode = 'workspace-write'\nsandbox_workspace_write = { network_access = true, writable_roots = ['/a', '/b'] }",
            "sandbox_workspace_write = { network_access = false, writable_roots = ['/b'], exclude_slash_tmp = true }",
        );
    }

    #[test]
    fn a_project_may_not_loosen() {
        removes("sandbox_mode = 'workspace-write'", "sandbox_mode = 'danger-full-access'", "sandbox_mode");
        removes("sandbox_mode = 'read-only'", "sandbox_mode = 'workspace-write'", "sandbox_mode");
        removes("", "sandbox_mode = 'danger-full-access'", "sandbox_mode");
        removes("default_permissions = ':read-only'", "sandbox_mode = 'workspace-write'", "sandbox_mode");
        removes("default_permissions = ':read-only'", "default_permissions = ':workspace'", "default_permissions");
        let user = "sandbox_mode = 'workspace-write'";
        removes(user, "default_permissions = ':danger-full-access'", "default_permissions");
        removes("", "approval_policy = 'never'", "approval_policy");
        removes("approval_policy = 'untrusted'", "approval_policy = 'on-request'", "approval_policy");
        removes("", "approvals_reviewer = 'auto_review'", "approvals_reviewer");
    }

    #[test]
    fn details_are_judged_even_where_another_mode_is_in_force() {
        for (detail, name) in
            [("network_access = true", "network_access"), ("writable_roots = ['/home']", "writable_roots")]
        {
            let project = format!("[sandbox_workspace_write]\n{detail}\n");
            removes("sandbox_mode = 'read-only'", &project, &format!("sandbox_workspace_write.{name}"));
        }
        let user = "sandbox_workspace_write = { exclude_slash_tmp = true, exclude_tmpdir_env_var = true }";
        removes(user, "sandbox_workspace_write.exclude_slash_tmp = false", "sandbox_workspace_write.exclude_slash_tmp");
        // A profile has no network, whatever the details say; a mode of the same name would have it.
        let user = "default_permissions = ':workspace'\nsandbox_workspace_write.network_access = true";
        removes(user, "sandbox_mode = 'workspace-write'", "sandbox_mode");
    }

    #[test]
    fn what_a_name_means_is_not_for_projects() {
        let user = "default_permissions = 'mine'\n[permissions.mine]\nextends = ':read-only'";
        removes(user, "[permissions.mine]\nextends = ':danger-full-access'", "permissions");
        removes("", "[shell_environment_policy.set]\nLD_PRELOAD = '/tmp/x.so'", "shell_environment_policy");
        removes("", "default_permissions = 'nobody'", "default_permissions");
        removes("", "[mcp_servers.mine]\ncommand = '/tmp/x'", "mcp_servers");
    }

    #[test]
    fn what_is_no_rule_stays() {
        counts("sandbox_mode = 'read-only'", "model = 'm'\nreview_model = 'r'\n[sandbox_workspace_write]");
    }
}
