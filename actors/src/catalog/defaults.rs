//! The settings of a new thread.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Table;

use super::config::{
    ConfigFiles, Configuration, Fault, Layer, Layers, Permissions, Project, Settings, TrustLevel, ignored, put, unknown,
};
use super::messages::{AskModelRules, EffectiveSettings, ModelRules, ThreadDefaults, ThreadOverrides};
use super::models::DEFAULT_MODEL;
use super::sources::CatalogSources;
use crate::cached_file::LARGEST_FILE;
use crate::model::OpenAiSignIn;
use crate::protocol::RpcError;
use crate::protocol::config::{ConfigLayerSource, ConfigWarning};
use crate::protocol::path::without_dots;
use crate::protocol::thread::{ApprovalsReviewer, AskForApproval};

/// Bytes of the instruction files of a project, unless the configuration says otherwise (the reference program's number).
const INSTRUCTION_BYTES: usize = 32_768;

/// Bytes of a tool's output that the model sees, unless the configuration says otherwise (spec: turns 2.3).
const OUTPUT_BYTES: usize = 10_000;

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
    let (session, mut warnings) = session(&overrides.config).map_err(unusable)?;
    let Configuration { layers, settings, .. } = files.load(sources, Some(&cwd), &session).map_err(unusable)?;
    warnings.extend(ignored(&layers));
    settings.check().map_err(unusable)?;
    let trust = Project::of(&cwd, &settings).trust();
    let permissions = permissions(&overrides, &settings, trust).map_err(unusable)?;

    let model_provider = overrides.model_provider.unwrap_or_else(|| settings.default_provider().to_owned());
    let model_rules = rules(sources, &settings, &model_provider, &cwd).map_err(unusable)?;
    let default_model = model_rules.provider.default_model().unwrap_or(DEFAULT_MODEL);
    let projects = named_projects(&settings);
    let model = overrides.model.or(settings.model).unwrap_or_else(|| default_model.to_owned());
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
        model_rules,
        service_tier: overrides.service_tier.or(settings.service_tier).map(current_tier),
        approval_policy: overrides.approval_policy.or(settings.approval_policy).unwrap_or(implied),
        approvals_reviewer: overrides
            .approvals_reviewer
            .or(settings.approvals_reviewer)
            .map_or_else(ApprovalsReviewer::default, current_reviewer),
        sandbox_policy: permissions.sandbox,
        active_permission_profile: permissions.profile,
        projects,
        environment: settings.shell_environment_policy,
        cwd,
        runtime_workspace_roots,
        warnings,
    })
}

/// What the configuration says about asking a model.
///
/// # Errors
/// -32600 if the configuration is invalid, or knows no such provider.
pub fn model_rules(
    sources: &CatalogSources,
    files: &mut ConfigFiles,
    question: &AskModelRules,
) -> Result<ModelRules, RpcError> {
    let cwd = Path::new(&question.cwd);
    let (session, _) = session(&question.config).map_err(unusable)?;
    let settings = files.load(sources, Some(cwd), &session).map_err(unusable)?.settings;
    rules(sources, &settings, &question.model_provider, cwd).map_err(unusable)
}

fn rules(sources: &CatalogSources, settings: &Settings, provider: &str, cwd: &Path) -> Result<ModelRules, Fault> {
    let provider = settings.provider(provider).ok_or_else(|| Settings::unknown_provider(provider))?;
    let instructions = |file: &String| {
        let path = sources.codex_home.join(file);
        plain_file::read_to_string(&path, LARGEST_FILE).map_err(|error| Fault::unreadable(&path, &error))
    };
    Ok(ModelRules {
        provider: Arc::new(provider),
        summary: settings.model_reasoning_summary,
        context_window: settings.model_context_window,
        compact_from: settings.model_auto_compact_token_limit.or_else(|| settings.model_context_window.map(nearly)),
        base_instructions: settings.model_instructions_file.as_ref().map(instructions).transpose()?,
        developer_instructions: settings.developer_instructions.clone(),
        instruction_bytes: settings.project_doc_max_bytes.unwrap_or(INSTRUCTION_BYTES),
        instruction_names: settings.project_doc_fallback_filenames.clone(),
        root_markers: settings.root_markers(),
        skills: sources.skill_search(settings, cwd),
        environment: settings.shell_environment_policy.clone(),
        projects: named_projects(settings),
        key_variables: key_variables(settings),
        mcp_servers: Arc::new(settings.mcp_servers.clone()),
        output_bytes: settings.tool_output_token_limit.map_or(OUTPUT_BYTES, |tokens| tokens.saturating_mul(4)),
    })
}

/// Tokens from which on a context window counts as nearly full (the reference program's share).
fn nearly(window: u64) -> u64 {
    window / 10 * 9
}

/// Environment variables that hold keys of model providers.
fn key_variables(settings: &Settings) -> Vec<String> {
    let of_providers = settings.providers().into_iter();
    let named =
        of_providers.flat_map(|provider| provider.env_key.into_iter().chain(provider.env_http_headers.into_values()));
    OpenAiSignIn::KEY_VARIABLES.map(str::to_owned).into_iter().chain(named).collect()
}

/// The projects that the user's configuration names.
fn named_projects(settings: &Settings) -> Vec<PathBuf> {
    settings.projects.keys().map(PathBuf::from).filter(|path| path.is_absolute()).collect()
}

fn unusable(fault: Fault) -> RpcError {
    RpcError::invalid_request(format_args!("failed to load configuration: {fault}"))
}

/// The client's settings as a table, and warnings about them.
fn session(config: &Table) -> Result<(Table, Vec<ConfigWarning>), Fault> {
    let mut table = Table::new();
    for (key, value) in config {
        put(&mut table, key, value.clone())?;
    }
    let layer = Layer::new(ConfigLayerSource::SessionFlags, table.clone());
    Ok((table, unknown(&Layers(vec![layer])).into_iter().collect()))
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
        return Err(RpcError::invalid_request(format_args!("cwd is longer than {LONGEST_PATH} bytes")));
    }
    Ok(without_dots(&base.join(path)))
}
