//! What a turn is to do, and what it works with.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use actix::prelude::*;
use serde_json::value::RawValue;

use super::changes::LeftAlone;
use super::client_tools::ClientTool;
use super::instructions::InstructionSearch;
use super::messages::{ReviewWanted, UserCommand, UserWords};
use super::shell::Shells;
use crate::approval::remembered::Remembered;
use crate::clock::Clock;
use crate::command::{Rules, Runner};
use crate::limits::{Milliseconds, Seconds};
use crate::mcp::{Configured, McpSetup, Servers};
use crate::metrics::Metrics;
use crate::model::{ModelSetup, Provider};
use crate::protocol::model::{HistoryItem, ToolSpec};
use crate::protocol::settings::{AskForApproval, ModeKind, ReasoningSummary};
use crate::protocol::thread::{ThreadGoal, ThreadId};
use crate::reply::Reply;
use crate::skills::SkillSearch;
use crate::store::Store;
use crate::traces::Traces;

/// What all turns work with.
pub struct TurnSetup {
    /// Where turns run: not on the hub, because they compute.
    pub arbiter: ArbiterHandle,
    /// How models are asked.
    pub models: ModelSetup,
    /// The histories.
    pub store: Arc<Addr<Store>>,
    /// The time of day.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where it is told on what the time was spent.
    pub traces: Traces,
    /// How commands are run.
    pub runner: Runner,
    /// How MCP servers are run.
    pub mcp: Arc<McpSetup>,
    /// The shell for commands.
    pub shell: String,
    /// Work trees in which git is not asked for a while.
    pub left_alone: LeftAlone,
    /// The bounds.
    pub limits: TurnLimits,
}

/// The bounds of turns; the settings of the same names say why each has its default.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnLimits {
    /// Messages of a user, and additions of clients, that one running turn may have waiting; one more is answered -32001.
    pub waiting_messages: usize,
    /// Bytes of one image file that a message names.
    pub image_bytes: usize,
    /// Characters of one message of a user; more are refused (the reference program's number).
    pub input_characters: usize,
    /// Milliseconds after which the text of an item in progress is on disk.
    pub record_milliseconds: Milliseconds,
    /// Commands of one thread that may run at a time; the model is told when it wants more.
    pub running_commands: usize,
    /// Calls of tools in one answer of a model that are made; the model is told that the others were not.
    pub calls_per_answer: usize,
    /// Seconds that an approval or a question waits for a person's answer; 0 is for ever.
    pub approval_seconds: Seconds,
    /// Bytes of a command's output that clients see; of longer output they see the beginning and the end.
    pub command_output_bytes: usize,
    /// Turns in a row that an agent may begin by itself and then only talk in; then its goal counts as blocked.
    pub goal_idle_turns: usize,
    /// Messages that one thread may have waiting in its queue.
    pub queued_messages: usize,
    /// Milliseconds that git may take to tell what has changed in a work tree; 0: it is not asked.
    pub changes_milliseconds: Milliseconds,
    /// Milliseconds that a turn waits for MCP servers that are starting; what they offer later comes with the next request.
    pub mcp_wait_milliseconds: Milliseconds,
}

#[cfg(test)]
impl TurnLimits {
    /// Room for one of everything.
    pub fn small() -> Self {
        Self {
            waiting_messages: 1,
            image_bytes: 64,
            input_characters: 100,
            record_milliseconds: Milliseconds(1),
            running_commands: 2,
            calls_per_answer: 4,
            approval_seconds: Seconds(0),
            command_output_bytes: 64,
            goal_idle_turns: 1,
            queued_messages: 1,
            changes_milliseconds: Milliseconds(0),
            mcp_wait_milliseconds: Milliseconds(1),
        }
    }
}

#[cfg(test)]
impl TurnSetup {
    /// Turns on the calling arbiter, for which only the built-in model answers.
    pub fn offline(store: &Arc<Addr<Store>>, clock: &Clock) -> Arc<Self> {
        let account = Arc::new(crate::account::Credentials::new(std::path::Path::new("/nowhere")));
        Arc::new(Self {
            arbiter: Arbiter::current(),
            models: ModelSetup::offline(&account),
            store: store.clone(),
            clock: clock.clone(),
            metrics: Arc::default(),
            traces: Traces::default(),
            runner: Runner::none(),
            mcp: McpSetup::none(),
            shell: SHELLS[1].to_owned(),
            left_alone: LeftAlone::default(),
            limits: TurnLimits::small(),
        })
    }
}

/// Shells for commands, the best one first.
const SHELLS: [&str; 2] = ["/bin/bash", "/bin/sh"];

/// The shell for commands on this machine.
pub fn usual_shell() -> String {
    SHELLS.into_iter().find(|path| Path::new(path).exists()).unwrap_or(SHELLS[1]).to_owned()
}

/// One turn.
pub struct TurnTask {
    /// Whose turn it is.
    pub thread_id: ThreadId,
    /// Its identity.
    pub turn_id: Arc<str>,
    /// What is wanted.
    pub purpose: Purpose,
    /// The rules in force.
    pub rules: TurnRules,
    /// What the model has seen of a thread that is not on disk; `None` where it is to be read from there.
    pub history: Option<Vec<HistoryItem>>,
    /// The conversation no longer fits into the model's context, or hardly does: it is summarised first.
    pub compact_first: bool,
    /// The commands of the thread.
    pub shells: Arc<Shells>,
    /// The MCP servers of the thread.
    pub servers: Arc<Servers>,
    /// What a person has allowed in the thread.
    pub allowed: Arc<Mutex<Remembered>>,
}

#[cfg(test)]
impl TurnRules {
    /// Rules by which the built-in model is asked.
    pub fn of_a_test() -> Self {
        let cwd = PathBuf::from("/");
        Self {
            provider: Arc::default(),
            model: "echo".to_owned(),
            effort: None,
            summary: None,
            mode: ModeKind::default(),
            mode_instructions: None,
            service_tier: None,
            context_window: None,
            compact_from: None,
            base_instructions: None,
            developer_instructions: None,
            instruction_files: InstructionSearch {
                codex_home: cwd.clone(),
                cwd: cwd.clone(),
                root_markers: Vec::new(),
                fallback_names: Vec::new(),
                max_bytes: 0,
            },
            skills: SkillSearch::nowhere(),
            cwd,
            commands: Rules {
                sandbox: crate::protocol::settings::SandboxPolicy::DangerFullAccess,
                environment: Default::default(),
                projects: Vec::new(),
            },
            approval: AskForApproval::Never,
            output_bytes: 64,
            key_variables: Vec::new(),
            output_schema: None,
            tools: [].into(),
            client_tools: [].into(),
            mcp_servers: Arc::default(),
        }
    }
}

/// What a turn is for.
pub enum Purpose {
    /// To answer a user.
    Answer(UserWords),
    /// To run a command of a user.
    Command(UserCommand),
    /// To get nearer to the goal of the thread.
    Pursue(ThreadGoal),
    /// To review changes.
    Review(ReviewWanted),
    /// To summarise the conversation. The reply is answered when the turn is on disk.
    Compact(Reply),
}

/// The rules that a turn goes by.
#[derive(Clone, Debug)]
pub struct TurnRules {
    /// Who serves the model.
    pub provider: Arc<Provider>,
    /// The provider's name of the model.
    pub model: String,
    /// How hard the model thinks.
    pub effort: Option<String>,
    /// How the model reports its thoughts.
    pub summary: Option<ReasoningSummary>,
    /// How user and agent share the work.
    pub mode: ModeKind,
    /// What the model is told of that way of working, in place of our words.
    pub mode_instructions: Option<String>,
    /// The provider's service tier.
    pub service_tier: Option<String>,
    /// Tokens that fit into the model's context window, if known.
    pub context_window: Option<u64>,
    /// Tokens of a call from which on the conversation is summarised before the next one, if known.
    pub compact_from: Option<u64>,
    /// Instructions in place of ours.
    pub base_instructions: Option<String>,
    /// Instructions in addition.
    pub developer_instructions: Option<String>,
    /// Which files tell the model how to work here.
    pub instruction_files: InstructionSearch,
    /// Where the skills are.
    pub skills: SkillSearch,
    /// The working directory.
    pub cwd: PathBuf,
    /// The rules for commands.
    pub commands: Rules,
    /// When the person is asked.
    pub approval: AskForApproval,
    /// Bytes of a tool's output that the model sees.
    pub output_bytes: usize,
    /// Environment variables that hold keys of model providers, which commands of the agent do not inherit.
    pub key_variables: Vec<String>,
    /// JSON Schema of the answer.
    pub output_schema: Option<Box<RawValue>>,
    /// What the model may call.
    pub tools: Arc<[ToolSpec]>,
    /// Those of them that a client runs.
    pub client_tools: Arc<[ClientTool]>,
    /// The MCP servers of the configuration.
    pub mcp_servers: Arc<Configured>,
}
