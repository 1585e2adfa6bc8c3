//! The settings of a new thread.

use std::path::{Path, PathBuf};

use toml::Table;

use super::config::{ConfigFiles, Fault, Layer, Layers, Project, Settings, TrustLevel, put, unknown_settings};
use super::messages::{EffectiveSettings, ThreadDefaults, ThreadOverrides};
use super::models::DEFAULT_MODEL;
use super::permissions::Permissions;
use super::sources::CatalogSources;
use crate::protocol::RpcError;
use crate::protocol::config::{ConfigLayerSource, ConfigWarning};
use crate::protocol::path::without_dots;
use crate::protocol::thread::{ApprovalsReviewer, AskForApproval};

/// Longest path that operating systems accept, in bytes.
const LONGEST_PATH: usize = 4096;

/// The settings of a thread that starts with the given choices.
///
/// # Errors
/// -32600 if the configuration or the client's choices are invalid; the texts are the reference program's.
pub fn thread_settings(
    sources: &CatalogSources,
    files: &mut ConfigFiles,
    question: ThreadDefaults,
) -> Result<EffectiveSettings, RpcError> {
    let ThreadDefaults { cwd, overrides } = question;
    if overrides.permissions.is_some() && overrides.sandbox.is_some() {
        return Err(RpcError::invalid_request("`permissions` cannot be combined with `sandbox`"));
    }
    let cwd = resolve(&sources.cwd, cwd.as_deref().unwrap_or_default())?;
    let (session, warnings) = session(&overrides.config).map_err(unusable)?;
    let settings = files.load(sources, Some(&cwd), &session).map_err(unusable)?.settings;
    settings.check().map_err(unusable)?;
    let trust = Project::of(&cwd, &settings).trust();
    let permissions = permissions(&overrides, &settings, trust).map_err(unusable)?;

    let model_provider = overrides.model_provider.unwrap_or_else(|| settings.default_provider().to_owned());
    settings.check_provider(&model_provider).map_err(unusable)?;
    let model = overrides.model.or(settings.model).unwrap_or_else(|| DEFAULT_MODEL.to_owned());
    if model.is_empty() {
        let text = "No models are available. Set `model` explicitly or check your model catalog configuration.";
        return Err(RpcError::invalid_request(text));
    }
    let implied =
        if trust == Some(TrustLevel::Untrusted) { AskForApproval::Untrusted } else { AskForApproval::OnRequest };
    let cwd = cwd.to_string_lossy().into_owned();
    let mut runtime_workspace_roots = vec![cwd.clone()];
    if overrides.permissions.is_none() {
        runtime_workspace_roots.extend(settings.sandbox_workspace_write.writable_roots);
    }
    Ok(EffectiveSettings {
        model,
        model_provider,
        reasoning_effort: settings.model_reasoning_effort,
        service_tier: overrides.service_tier.or(settings.service_tier).map(current_tier),
        approval_policy: overrides.approval_policy.or(settings.approval_policy).unwrap_or(implied),
        approvals_reviewer: overrides
            .approvals_reviewer
            .or(settings.approvals_reviewer)
            .map_or_else(ApprovalsReviewer::default, current_reviewer),
        sandbox_policy: permissions.sandbox,
        active_permission_profile: permissions.profile,
        cwd,
        runtime_workspace_roots,
        warnings,
    })
}

fn unusable(fault: Fault) -> RpcError {
    RpcError::invalid_request(format!("failed to load configuration: {fault}"))
}

/// The client's settings as a table, and warnings about them.
fn session(config: &Table) -> Result<(Table, Vec<ConfigWarning>), Fault> {
    let mut table = Table::new();
    for (key, value) in config {
        put(&mut table, key, value.clone())?;
    }
    let layer = Layer::new(ConfigLayerSource::SessionFlags, table.clone());
    Ok((table, unknown_settings(&Layers(vec![layer])).into_iter().collect()))
}

fn permissions(
    overrides: &ThreadOverrides,
    settings: &Settings,
    trust: Option<TrustLevel>,
) -> Result<Permissions, Fault> {
    match (&overrides.permissions, overrides.sandbox) {
        (Some(profile), _) => Permissions::by_profile(profile, settings),
        (None, Some(mode)) => Ok(Permissions::by_mode(mode, settings)),
        (None, None) => Permissions::by_settings(settings, trust),
    }
}

/// `fast` is a former name of a service tier.
fn current_tier(tier: String) -> String {
    if tier == "fast" { "priority".to_owned() } else { tier }
}

fn current_reviewer(reviewer: ApprovalsReviewer) -> ApprovalsReviewer {
    match reviewer {
        ApprovalsReviewer::GuardianSubagent => ApprovalsReviewer::AutoReview,
        current => current,
    }
}

/// Resolves `path` against `base` and removes `.` and `..`. The directory need not exist.
///
/// # Errors
/// -32600 for a path longer than the operating system allows. Every parent directory is checked, so the length must be
/// bounded.
pub fn resolve(base: &Path, path: &str) -> Result<PathBuf, RpcError> {
    if path.len() > LONGEST_PATH {
        return Err(RpcError::invalid_request(format!("cwd is longer than {LONGEST_PATH} bytes")));
    }
    Ok(without_dots(&base.join(path)))
}
