//! Members that require the `experimentalApi` capability, in methods that do not.
//!
//! The error is `<member> requires experimentalApi capability`. A gated flag counts if it is true, any other gated
//! member if it is not null. The published schema uses the same tables.

use super::{
    ThreadForkParams, ThreadListParams, ThreadMetadataUpdateParams, ThreadRequest, ThreadResumeParams,
    ThreadStartParams,
};
use crate::protocol::settings::AskForApproval;
use crate::protocol::turn::{TurnStartParams, TurnSteerParams};

/// A gated member of `P` as named in the error, and whether params contain it.
type Gated<P> = (&'static str, fn(&P) -> bool);

const START: &[Gated<ThreadStartParams>] = &[
    ("thread/start.allowProviderModelFallback", |p| p.own.allow_provider_model_fallback),
    ("thread/start.daybreakEnabled", |p| p.own.daybreak_enabled.is_some()),
    ("thread/start.dynamicTools", |p| p.own.dynamic_tools.is_some()),
    ("thread/start.environments", |p| p.own.environments.is_some()),
    ("thread/start.experimentalRawEvents", |p| p.own.experimental_raw_events),
    ("thread/start.historyMode", |p| p.own.history_mode.is_some()),
    ("thread/start.mockExperimentalField", |p| p.own.mock_experimental_field.is_some()),
    ("thread/start.multiAgentMode", |p| p.own.multi_agent_mode.is_some()),
    ("thread/start.permissions", |p| p.choices.permissions.is_some()),
    ("thread/start.projectId", |p| p.own.project_id.is_some()),
    ("thread/start.runtimeWorkspaceRoots", |p| p.choices.runtime_workspace_roots.is_some()),
    ("thread/start.selectedCapabilityRoots", |p| p.own.selected_capability_roots.is_some()),
    (GRANULAR, |p| is_granular(p.choices.approval_policy)),
];

const RESUME: &[Gated<ThreadResumeParams>] = &[
    ("thread/resume.history", |p| p.own.history.is_some()),
    ("thread/resume.initialTurnsPage", |p| p.own.initial_turns_page.is_some()),
    ("thread/resume.path", |p| p.own.path.is_some()),
    ("thread/resume.permissions", |p| p.choices.permissions.is_some()),
    ("thread/resume.runtimeWorkspaceRoots", |p| p.choices.runtime_workspace_roots.is_some()),
    (GRANULAR, |p| is_granular(p.choices.approval_policy)),
];

const FORK: &[Gated<ThreadForkParams>] = &[
    ("thread/fork.attachToSource", |p| p.own.attach_to_source),
    ("thread/fork.beforeTurnId", |p| p.own.before_turn_id.is_some()),
    ("thread/fork.deferGoalContinuation", |p| p.own.defer_goal_continuation),
    ("thread/fork.experimentalDisablePredictionMcp", |p| p.own.experimental_disable_prediction_mcp),
    ("thread/fork.experimentalPredictionMode", |p| p.own.experimental_prediction_mode),
    ("thread/fork.path", |p| p.own.path.is_some()),
    ("thread/fork.permissions", |p| p.choices.permissions.is_some()),
    ("thread/fork.runtimeWorkspaceRoots", |p| p.choices.runtime_workspace_roots.is_some()),
    (GRANULAR, |p| is_granular(p.choices.approval_policy)),
];

const METADATA_UPDATE: &[Gated<ThreadMetadataUpdateParams>] = &[
    ("thread/metadata/update.daybreakEnabled", |p| p.daybreak_enabled.is_some()),
    ("thread/metadata/update.projectId", |p| p.project_id.is_some()),
];

const LIST: &[Gated<ThreadListParams>] = &[
    ("thread/list.ancestorThreadId", |p| p.ancestor_thread_id.is_some()),
    ("thread/list.attachedToThreadId", |p| p.attached_to_thread_id.is_some()),
    ("thread/list.includeAttachedThreads", |p| p.include_attached_threads),
    ("thread/list.parentThreadId", |p| p.parent_thread_id.is_some()),
    // Null is a value here: threads without a project.
    ("thread/list.projectId", |p| p.project_id.is_some()),
];

const TURN_START: &[Gated<TurnStartParams>] = &[
    ("turn/start.additionalContext", |p| p.own.additional_context.is_some()),
    ("turn/start.collaborationMode", |p| p.choices.collaboration_mode.is_some()),
    ("turn/start.cyberAccessProgram", |p| p.own.cyber_access_program.is_some()),
    ("turn/start.environments", |p| p.choices.environments.is_some()),
    ("turn/start.multiAgentMode", |p| p.choices.multi_agent_mode.is_some()),
    ("turn/start.permissions", |p| p.choices.permissions.is_some()),
    ("turn/start.responsesapiClientMetadata", |p| p.own.responsesapi_client_metadata.is_some()),
    ("turn/start.responsesapiClientMetadataPatch", |p| p.own.responsesapi_client_metadata_patch.is_some()),
    ("turn/start.runtimeWorkspaceRoots", |p| p.own.runtime_workspace_roots.is_some()),
    (GRANULAR, |p| is_granular(p.choices.approval_policy)),
];

const TURN_STEER: &[Gated<TurnSteerParams>] = &[
    ("turn/steer.additionalContext", |p| p.additional_context.is_some()),
    ("turn/steer.responsesapiClientMetadata", |p| p.responsesapi_client_metadata.is_some()),
    ("turn/steer.responsesapiClientMetadataPatch", |p| p.responsesapi_client_metadata_patch.is_some()),
];

/// A value of a member instead of a member. The schema keeps it, because results may contain it for all clients.
const GRANULAR: &str = "askForApproval.granular";

impl ThreadRequest {
    /// The first gated member in the request, as named in the error.
    pub fn experimental_member(&self) -> Option<&'static str> {
        match self {
            Self::Start(p) => first(START, p),
            Self::Resume(p) => first(RESUME, p),
            Self::Fork(p) => first(FORK, p),
            Self::MetadataUpdate(p) => first(METADATA_UPDATE, p),
            Self::List(p) => first(LIST, p),
            Self::TurnStart(p) => first(TURN_START, p),
            Self::TurnSteer(p) => first(TURN_STEER, p),
            _ => None,
        }
    }

    /// All gated members, as named in errors.
    pub fn experimental_members() -> impl Iterator<Item = &'static str> {
        names(START)
            .chain(names(RESUME))
            .chain(names(FORK))
            .chain(names(METADATA_UPDATE))
            .chain(names(LIST))
            .chain(names(TURN_START))
            .chain(names(TURN_STEER))
    }
}

fn is_granular(policy: Option<AskForApproval>) -> bool {
    matches!(policy, Some(AskForApproval::Granular(_)))
}

fn first<P>(members: &[Gated<P>], params: &P) -> Option<&'static str> {
    members.iter().find(|(_, is_held)| is_held(params)).map(|(name, _)| *name)
}

fn names<P>(members: &'static [Gated<P>]) -> impl Iterator<Item = &'static str> {
    members.iter().map(|(name, _)| *name)
}
