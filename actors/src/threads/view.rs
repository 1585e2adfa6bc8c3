//! Stored threads as clients see them.

use crate::protocol::thread::{GitInfo, LoadedThread, SessionSource, Thread, ThreadEnvironment, ThreadStatus, Unset};
use crate::protocol::turn::Turn;
use crate::store::ThreadRecord;
use crate::thread::Activity;

/// Where a thread exists at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// On disk only.
    Stored,
    /// In memory and on disk.
    Loaded(Activity),
    /// In memory only.
    Ephemeral(Activity),
}

/// Converts `record` for the wire.
pub(super) fn thread(record: &ThreadRecord, presence: Presence, turns: Vec<Turn>) -> Thread {
    let is_loaded = presence != Presence::Stored;
    let settings = &record.settings;
    Thread {
        id: record.id,
        environments: is_loaded.then(|| {
            vec![ThreadEnvironment {
                environment_id: "local".to_owned(),
                cwd: record.cwd.clone(),
                runtime_workspace_roots: settings.runtime_workspace_roots.clone(),
            }]
        }),
        extra: Unset,
        session_id: record.session_id,
        forked_from_id: record.forked_from_id,
        attached_to_thread_id: Unset,
        parent_thread_id: Unset,
        preview: record.preview.clone(),
        ephemeral: matches!(presence, Presence::Ephemeral(_)),
        section: Unset,
        section_entered_at: Unset,
        project_id: Unset,
        history_mode: record.history_mode,
        model_provider: record.model_provider.clone(),
        model: settings.model.clone(),
        reasoning_effort: settings.reasoning_effort.clone(),
        created_at: seconds(record.created_at_ms),
        updated_at: seconds(record.updated_at_ms),
        recency_at: Some(seconds(record.recency_at_ms)),
        status: match presence {
            Presence::Stored => ThreadStatus::NotLoaded,
            Presence::Loaded(activity) | Presence::Ephemeral(activity) => activity.into(),
        },
        path: None,
        cwd: record.cwd.clone(),
        cli_version: record.cli_version.clone(),
        originator: record.originator.clone(),
        source: record.source.clone(),
        can_accept_direct_input: is_loaded.then_some(true),
        thread_source: record.thread_source.clone(),
        agent_nickname: Unset,
        agent_role: Unset,
        git_info: (record.git != GitInfo::default()).then(|| record.git.clone()),
        name: record.name.clone(),
        daybreak_enabled: record.daybreak_enabled,
        turns,
    }
}

/// A loaded thread: `record` is its stored state, `in_force` the settings of its actor.
pub(super) fn loaded_thread(thread: Thread, in_force: &ThreadRecord) -> LoadedThread {
    let settings = in_force.settings.clone();
    LoadedThread {
        thread,
        model: settings.model.unwrap_or_default(),
        model_provider: in_force.model_provider.clone(),
        service_tier: settings.service_tier,
        disabled_plugin_ids: settings.disabled_plugin_ids,
        cwd: in_force.cwd.clone(),
        runtime_workspace_roots: settings.runtime_workspace_roots,
        instruction_sources: Vec::new(),
        approval_policy: settings.approval_policy,
        approvals_reviewer: settings.approvals_reviewer,
        sandbox: settings.sandbox_policy,
        active_permission_profile: settings.active_permission_profile,
        reasoning_effort: settings.reasoning_effort,
    }
}

/// Converts `--session-source` for the record of a thread.
pub(super) fn session_source(name: &str) -> SessionSource {
    match name {
        "cli" => SessionSource::Cli,
        "vscode" => SessionSource::VsCode,
        "exec" => SessionSource::Exec,
        "appServer" | "app-server" => SessionSource::AppServer,
        "unknown" | "" => SessionSource::Unknown,
        custom => SessionSource::Custom(custom.to_owned()),
    }
}

fn seconds(ms: i64) -> i64 {
    ms.div_euclid(1000)
}
