//! Members that only connections with `capabilities.experimentalApi` may send, in methods that everybody may call.

use super::{AskForApproval, ThreadRequest};

impl ThreadRequest {
    /// The first gated member that the request holds, as the refusal names it (`<this> requires experimentalApi
    /// capability`). A gated flag counts when it is true, any other gated member when it is not null.
    pub fn experimental_member(&self) -> Option<&'static str> {
        match self {
            Self::Start(p) => first(&[
                ("thread/start.allowProviderModelFallback", p.allow_provider_model_fallback),
                ("thread/start.daybreakEnabled", p.daybreak_enabled.is_some()),
                ("thread/start.dynamicTools", p.dynamic_tools.is_some()),
                ("thread/start.environments", p.environments.is_some()),
                ("thread/start.experimentalRawEvents", p.experimental_raw_events),
                ("thread/start.historyMode", p.history_mode.is_some()),
                ("thread/start.mockExperimentalField", p.mock_experimental_field.is_some()),
                ("thread/start.multiAgentMode", p.multi_agent_mode.is_some()),
                ("thread/start.permissions", p.permissions.is_some()),
                ("thread/start.projectId", p.project_id.is_some()),
                ("thread/start.runtimeWorkspaceRoots", p.runtime_workspace_roots.is_some()),
                ("thread/start.selectedCapabilityRoots", p.selected_capability_roots.is_some()),
                granular(p.approval_policy),
            ]),
            Self::Resume(p) => first(&[
                ("thread/resume.history", p.history.is_some()),
                ("thread/resume.initialTurnsPage", p.initial_turns_page.is_some()),
                ("thread/resume.path", p.path.is_some()),
                ("thread/resume.permissions", p.permissions.is_some()),
                ("thread/resume.runtimeWorkspaceRoots", p.runtime_workspace_roots.is_some()),
                granular(p.approval_policy),
            ]),
            Self::Fork(p) => first(&[
                ("thread/fork.attachToSource", p.attach_to_source),
                ("thread/fork.beforeTurnId", p.before_turn_id.is_some()),
                ("thread/fork.deferGoalContinuation", p.defer_goal_continuation),
                ("thread/fork.experimentalDisablePredictionMcp", p.experimental_disable_prediction_mcp),
                ("thread/fork.experimentalPredictionMode", p.experimental_prediction_mode),
                ("thread/fork.path", p.path.is_some()),
                ("thread/fork.permissions", p.permissions.is_some()),
                ("thread/fork.runtimeWorkspaceRoots", p.runtime_workspace_roots.is_some()),
                granular(p.approval_policy),
            ]),
            Self::MetadataUpdate(p) => first(&[
                ("thread/metadata/update.daybreakEnabled", p.daybreak_enabled.is_some()),
                ("thread/metadata/update.projectId", p.project_id.is_some()),
            ]),
            Self::List(p) => first(&[
                ("thread/list.ancestorThreadId", p.ancestor_thread_id.is_some()),
                ("thread/list.attachedToThreadId", p.attached_to_thread_id.is_some()),
                ("thread/list.includeAttachedThreads", p.include_attached_threads),
                ("thread/list.parentThreadId", p.parent_thread_id.is_some()),
                // Here null is a value: threads without a project.
                ("thread/list.projectId", p.project_id.is_some()),
            ]),
            Self::TurnStart(p) => first(&[
                ("turn/start.additionalContext", p.additional_context.is_some()),
                ("turn/start.collaborationMode", p.collaboration_mode.is_some()),
                ("turn/start.cyberAccessProgram", p.cyber_access_program.is_some()),
                ("turn/start.environments", p.environments.is_some()),
                ("turn/start.multiAgentMode", p.multi_agent_mode.is_some()),
                ("turn/start.permissions", p.permissions.is_some()),
                ("turn/start.responsesapiClientMetadata", p.responsesapi_client_metadata.is_some()),
                ("turn/start.responsesapiClientMetadataPatch", p.responsesapi_client_metadata_patch.is_some()),
                ("turn/start.runtimeWorkspaceRoots", p.runtime_workspace_roots.is_some()),
                granular(p.approval_policy),
            ]),
            Self::TurnSteer(p) => first(&[
                ("turn/steer.additionalContext", p.additional_context.is_some()),
                ("turn/steer.responsesapiClientMetadata", p.responsesapi_client_metadata.is_some()),
                ("turn/steer.responsesapiClientMetadataPatch", p.responsesapi_client_metadata_patch.is_some()),
            ]),
            _ => None,
        }
    }
}

fn granular(policy: Option<AskForApproval>) -> (&'static str, bool) {
    ("askForApproval.granular", matches!(policy, Some(AskForApproval::Granular(_))))
}

fn first(members: &[(&'static str, bool)]) -> Option<&'static str> {
    members.iter().find(|(_, held)| *held).map(|(name, _)| *name)
}
