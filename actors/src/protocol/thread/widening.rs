//! Members that need another scope than their method does. What widens the rights of a thread beyond what its user has
//! configured needs `admin`; what changes a thread that is resumed needs `converse`. The refusal names them as it names
//! experimental ones: method, dot, member.

use super::{
    SandboxMode, SandboxPolicy, ThreadForkParams, ThreadRequest, ThreadResumeParams, ThreadSettingsUpdateParams,
    ThreadStartParams,
};
use crate::protocol::scope::Scope;
use crate::protocol::turn::TurnStartParams;

/// A member of `P` as the refusal names it, and whether params hold it with a value that widens.
type Widening<P> = (&'static str, fn(&P) -> bool);

const START: &[Widening<ThreadStartParams>] = &[
    ("thread/start.sandbox", |p| is_full_access(p.choices.sandbox)),
    ("thread/start.permissions", |p| is_wide_profile(p.choices.permissions.as_deref())),
    ("thread/start.runtimeWorkspaceRoots", |p| p.choices.runtime_workspace_roots.is_some()),
    ("thread/start.modelProvider", |p| p.choices.model_provider.is_some()),
    ("thread/start.config", |p| is_wide_config(p.choices.config.as_ref())),
    ("thread/start.environments", |p| p.own.environments.is_some()),
    ("thread/start.selectedCapabilityRoots", |p| p.own.selected_capability_roots.is_some()),
];

const RESUME: &[Widening<ThreadResumeParams>] = &[
    ("thread/resume.sandbox", |p| is_full_access(p.choices.sandbox)),
    ("thread/resume.permissions", |p| is_wide_profile(p.choices.permissions.as_deref())),
    ("thread/resume.runtimeWorkspaceRoots", |p| p.choices.runtime_workspace_roots.is_some()),
    ("thread/resume.modelProvider", |p| p.choices.model_provider.is_some()),
    ("thread/resume.config", |p| is_wide_config(p.choices.config.as_ref())),
    ("thread/resume.path", |p| p.own.path.is_some()),
];

const FORK: &[Widening<ThreadForkParams>] = &[
    ("thread/fork.sandbox", |p| is_full_access(p.choices.sandbox)),
    ("thread/fork.permissions", |p| is_wide_profile(p.choices.permissions.as_deref())),
    ("thread/fork.runtimeWorkspaceRoots", |p| p.choices.runtime_workspace_roots.is_some()),
    ("thread/fork.modelProvider", |p| p.choices.model_provider.is_some()),
    ("thread/fork.config", |p| is_wide_config(p.choices.config.as_ref())),
    ("thread/fork.path", |p| p.own.path.is_some()),
];

const TURN_START: &[Widening<TurnStartParams>] = &[
    ("turn/start.sandboxPolicy", |p| p.choices.sandbox_policy.as_ref().is_some_and(is_wide_policy)),
    ("turn/start.permissions", |p| is_wide_profile(p.choices.permissions.as_deref())),
    ("turn/start.runtimeWorkspaceRoots", |p| p.own.runtime_workspace_roots.is_some()),
    ("turn/start.environments", |p| p.choices.environments.is_some()),
];

const SETTINGS_UPDATE: &[Widening<ThreadSettingsUpdateParams>] = &[
    ("thread/settings/update.sandboxPolicy", |p| p.choices.sandbox_policy.as_ref().is_some_and(is_wide_policy)),
    ("thread/settings/update.permissions", |p| is_wide_profile(p.choices.permissions.as_deref())),
    ("thread/settings/update.environments", |p| p.choices.environments.is_some()),
];

/// Keys of `config.toml` that a client may set for its own thread: which model, and how it thinks and speaks. Any other
/// one may name a provider, an MCP server, a trusted project, a sandbox, or a command to run.
const OWN_TASTE: [&str; 6] = [
    "model",
    "model_reasoning_effort",
    "model_reasoning_summary",
    "model_verbosity",
    "personality",
    "plan_mode_reasoning_effort",
];

/// Profiles that give no more than the default.
const NARROW_PROFILES: [&str; 2] = [":read-only", ":workspace"];

/// How the refusal names a resume that does more than to read and follow a thread.
const CHANGING_RESUME: &str = "thread/resume with members that change the thread";

impl ThreadRequest {
    /// What in the request needs a scope beyond that of its method, as the refusal names it, and which scope.
    pub fn further_scope(&self) -> Option<(&'static str, Scope)> {
        let admin = |member| (member, Scope::Admin);
        match self {
            Self::Start(p) => first(START, p).map(admin),
            Self::Resume(p) => {
                let converse = || p.changes_thread().then_some((CHANGING_RESUME, Scope::Converse));
                first(RESUME, p).map(admin).or_else(converse)
            }
            Self::Fork(p) => first(FORK, p).map(admin),
            Self::TurnStart(p) => first(TURN_START, p).map(admin),
            Self::SettingsUpdate(p) => first(SETTINGS_UPDATE, p).map(admin),
            _ => None,
        }
    }
}

impl ThreadResumeParams {
    /// Whether it changes under which rules the thread runs.
    fn changes_thread(&self) -> bool {
        let choices = &self.choices;
        choices.model.is_some()
            || choices.service_tier.is_some()
            || choices.cwd.is_some()
            || choices.approval_policy.is_some()
            || choices.approvals_reviewer.is_some()
            || choices.sandbox.is_some()
            || choices.permissions.is_some()
            || choices.config.is_some()
            || choices.base_instructions.is_some()
            || choices.developer_instructions.is_some()
            || self.own.personality.is_some()
            || self.own.history.is_some()
    }
}

fn is_full_access(mode: Option<SandboxMode>) -> bool {
    mode == Some(SandboxMode::DangerFullAccess)
}

fn is_wide_profile(name: Option<&str>) -> bool {
    name.is_some_and(|name| !NARROW_PROFILES.contains(&name))
}

fn is_wide_policy(policy: &SandboxPolicy) -> bool {
    match policy {
        SandboxPolicy::DangerFullAccess | SandboxPolicy::ExternalSandbox { .. } => true,
        SandboxPolicy::ReadOnly { network_access } => *network_access,
        SandboxPolicy::WorkspaceWrite { writable_roots, network_access, .. } => {
            *network_access || !writable_roots.is_empty()
        }
    }
}

fn is_wide_config(config: Option<&toml::Table>) -> bool {
    config.is_some_and(|config| config.keys().any(|key| !OWN_TASTE.contains(&key.as_str())))
}

fn first<P>(members: &[Widening<P>], params: &P) -> Option<&'static str> {
    members.iter().find(|(_, is_held)| is_held(params)).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json, value::to_raw_value};

    use super::*;
    use crate::protocol::Method;

    fn further_scope(method: &str, params: Value) -> Option<(&'static str, Scope)> {
        let params = to_raw_value(&params).unwrap();
        Method::find(method).unwrap().parse(Some(&params)).unwrap().further_scope()
    }

    /// The member that needs the scope `admin`.
    fn widening(method: &str, params: Value) -> Option<&'static str> {
        further_scope(method, params).map(|(member, scope)| {
            assert_eq!(scope, Scope::Admin);
            member
        })
    }

    #[test]
    fn full_access_roots_network_and_configuration_widen() {
        let thread = "thread/start";
        for (member, value) in [
            ("sandbox", json!("danger-full-access")),
            ("permissions", json!(":danger-full-access")),
            ("permissions", json!("mine")),
            ("runtimeWorkspaceRoots", json!(["/"])),
            ("modelProvider", json!("other")),
            ("config", json!({"mcp_servers": {"x": {"command": "sh"}}})),
            ("config", json!({"model": "m", "projects": {"/": {"trust_level": "trusted"}}})),
            ("config", json!({"sandbox_workspace_write.network_access": true})),
            ("environments", json!([])),
        ] {
            assert_eq!(widening(thread, json!({member: value})).unwrap(), format!("thread/start.{member}"));
        }
        for policy in [
            json!({"type": "dangerFullAccess"}),
            json!({"type": "externalSandbox"}),
            json!({"type": "readOnly", "networkAccess": true}),
            json!({"type": "workspaceWrite", "networkAccess": true}),
            json!({"type": "workspaceWrite", "writableRoots": ["/home"]}),
        ] {
            let params = json!({"threadId": "t", "input": [], "sandboxPolicy": policy.clone()});
            assert_eq!(widening("turn/start", params), Some("turn/start.sandboxPolicy"));
            let params = json!({"threadId": "t", "sandboxPolicy": policy});
            assert_eq!(widening("thread/settings/update", params), Some("thread/settings/update.sandboxPolicy"));
        }
        let id = json!({"threadId": "t", "config": {"mcp_servers": {}}});
        assert_eq!(widening("thread/resume", id.clone()), Some("thread/resume.config"));
        assert_eq!(widening("thread/fork", id), Some("thread/fork.config"));
    }

    #[test]
    fn what_a_conversation_needs_does_not() {
        let taste = json!({"model": "m", "model_reasoning_effort": "high"});
        let params = json!({"cwd": "/w", "model": "m", "sandbox": "workspace-write", "approvalPolicy": "on-request",
            "config": taste, "permissions": ":workspace", "developerInstructions": "Be brief."});
        assert_eq!(widening("thread/start", params), None);
        for policy in [json!({"type": "readOnly"}), json!({"type": "workspaceWrite", "excludeSlashTmp": true})] {
            let params = json!({"threadId": "t", "input": [], "sandboxPolicy": policy});
            assert_eq!(widening("turn/start", params), None);
        }
    }

    #[test]
    fn who_only_follows_a_thread_changes_nothing_of_it() {
        assert_eq!(further_scope("thread/resume", json!({"threadId": "t", "excludeTurns": true})), None);
        for member in [json!({"model": "m"}), json!({"cwd": "/"}), json!({"approvalPolicy": "never"})] {
            let mut params = json!({"threadId": "t"});
            params.as_object_mut().unwrap().extend(member.as_object().unwrap().clone());
            assert_eq!(further_scope("thread/resume", params).unwrap().1, Scope::Converse);
        }
    }
}
