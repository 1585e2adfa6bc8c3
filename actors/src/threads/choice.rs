//! A client's choices for an existing thread, and the settings that follow from them.

use std::sync::Arc;

use actix::prelude::*;
use toml::Table;

use crate::catalog::{Catalog, EffectiveSettings, ThreadDefaults, ThreadOverrides};
use crate::protocol::RpcError;
use crate::protocol::settings::{CollaborationMode, ReasoningSummary, SandboxPolicy};
use crate::protocol::thread::ThreadChoices;
use crate::protocol::turn::TurnChoices;
use crate::store::ThreadRecord;

/// The choices of a request that may change the settings of a thread. Absent ones change nothing.
#[derive(Default, PartialEq)]
pub(super) struct Choice {
    cwd: Option<String>,
    roots: Option<Vec<String>>,
    overrides: ThreadOverrides,
    base_instructions: Option<String>,
    developer_instructions: Option<String>,
    effort: Option<String>,
    summary: Option<ReasoningSummary>,
    sandbox_policy: Option<SandboxPolicy>,
    disabled_plugins: Option<Vec<String>>,
    mode: Option<CollaborationMode>,
    removes_service_tier: bool,
}

impl Choice {
    /// The choices of `turn/start` and `thread/settings/update`.
    pub(super) fn of_turns(choices: TurnChoices) -> Self {
        let of_mode = choices.collaboration_mode.as_ref().map(|mode| mode.settings.clone());
        let (model, effort) = of_mode.map(|chosen| (chosen.model, chosen.reasoning_effort)).unwrap_or_default();
        Self {
            cwd: choices.cwd,
            removes_service_tier: choices.service_tier == Some(None),
            overrides: ThreadOverrides {
                model: Some(model).filter(|model| !model.is_empty()).or(choices.model),
                service_tier: choices.service_tier.flatten(),
                approval_policy: choices.approval_policy,
                approvals_reviewer: choices.approvals_reviewer,
                permissions: choices.permissions,
                ..ThreadOverrides::default()
            },
            effort: effort.or(choices.effort),
            summary: choices.summary,
            sandbox_policy: choices.sandbox_policy,
            disabled_plugins: choices.disabled_plugin_ids,
            mode: choices.collaboration_mode,
            ..Self::default()
        }
    }

    /// Other workspace roots, if `roots` are some.
    pub(super) fn with_roots(self, roots: Option<Vec<String>>) -> Self {
        Self { roots, ..self }
    }

    /// Whether anything was chosen.
    pub(super) fn is_any(&self) -> bool {
        *self != Self::default()
    }

    /// The choices of `thread/resume` and `thread/fork`.
    pub(super) fn of_thread(mut choices: ThreadChoices) -> Self {
        Self {
            overrides: overrides(&mut choices),
            cwd: choices.cwd,
            roots: choices.runtime_workspace_roots,
            base_instructions: choices.base_instructions,
            developer_instructions: choices.developer_instructions,
            ..Self::default()
        }
    }

    /// What is chosen in the words of `config.toml`.
    pub(super) fn config(&self) -> Arc<Table> {
        Arc::new(self.overrides.config.clone())
    }

    /// Replaces only the chosen settings, with the values that the catalog returns.
    pub(super) async fn apply(self, record: &mut ThreadRecord, catalog: Arc<Addr<Catalog>>) -> Result<(), RpcError> {
        let Self { cwd, roots, overrides, base_instructions, developer_instructions, .. } = self;
        if overrides.permissions.is_some() && self.sandbox_policy.is_some() {
            return Err(RpcError::invalid_request("`permissions` cannot be combined with `sandboxPolicy`"));
        }
        let chosen = overrides.clone();
        let (moves, place) = (cwd.is_some(), cwd.unwrap_or_else(|| record.cwd.clone()));
        let effective = effective(catalog, ThreadDefaults { cwd: Some(place), overrides }).await?;
        let settings = &mut record.settings;
        if chosen.model.is_some() {
            settings.model = Some(effective.model);
        }
        if chosen.model_provider.is_some() {
            record.model_provider = effective.model_provider;
        }
        if chosen.config.contains_key("model_reasoning_effort") {
            settings.reasoning_effort = effective.reasoning_effort;
        }
        if chosen.service_tier.is_some() {
            settings.service_tier = effective.service_tier;
        }
        settings.approval_policy = chosen.approval_policy.unwrap_or(settings.approval_policy);
        if chosen.approvals_reviewer.is_some() {
            settings.approvals_reviewer = effective.approvals_reviewer;
        }
        if chosen.sandbox.is_some() || chosen.permissions.is_some() {
            settings.sandbox_policy = effective.sandbox_policy;
            settings.active_permission_profile = effective.active_permission_profile;
        }
        if moves {
            record.cwd = effective.cwd;
            settings.runtime_workspace_roots = effective.runtime_workspace_roots;
        }
        settings.runtime_workspace_roots = roots.unwrap_or_else(|| settings.runtime_workspace_roots.clone());
        settings.reasoning_effort = self.effort.or(settings.reasoning_effort.take());
        settings.disabled_plugin_ids = self.disabled_plugins.unwrap_or_else(|| settings.disabled_plugin_ids.clone());
        settings.reasoning_summary = self.summary.or(settings.reasoning_summary);
        if let Some(CollaborationMode { mode, settings: of_mode }) = self.mode {
            settings.mode = mode;
            settings.mode_instructions = of_mode.developer_instructions;
        }
        if self.removes_service_tier {
            settings.service_tier = None;
        }
        if let Some(policy) = self.sandbox_policy {
            settings.sandbox_policy = policy;
            settings.active_permission_profile = None;
        }
        settings.base_instructions = base_instructions.or(settings.base_instructions.take());
        settings.developer_instructions = developer_instructions.or(settings.developer_instructions.take());
        Ok(())
    }
}

/// What the catalog is to put in place of the configured values.
pub(super) fn overrides(choices: &mut ThreadChoices) -> ThreadOverrides {
    ThreadOverrides {
        model: choices.model.take(),
        model_provider: choices.model_provider.take(),
        service_tier: choices.service_tier.take(),
        approval_policy: choices.approval_policy,
        approvals_reviewer: choices.approvals_reviewer,
        sandbox: choices.sandbox,
        permissions: choices.permissions.take(),
        config: choices.config.take().unwrap_or_default(),
    }
}

/// Asks the catalog. There is at most one such request per client request in flight, so their number is bounded.
pub(super) async fn effective(
    catalog: Arc<Addr<Catalog>>,
    question: ThreadDefaults,
) -> Result<EffectiveSettings, RpcError> {
    catalog.send(question).await.map_err(|_| RpcError::internal("the catalog has ended; restart the server"))?
}
