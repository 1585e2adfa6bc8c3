//! A loaded thread: the rules in force, and the turn that runs.
//!
//! The database owns the stored state of a thread, this actor the live state. There is one actor per thread, so that
//! inputs keep their order and a busy thread does not delay the others. It lives on the hub; its turn, which does the
//! work, does not.
//!
//! | file | what it is |
//! |---|---|
//! | [`state`], `running` | what the thread does, and the turn that runs, as clients see them; pure |
//! | `telling` | the notifications by which clients follow a turn |
//! | `behind` | commands that go on behind the end of their turn |
//! | `attach` | a client joins: snapshot and subscription in one step |
//! | `changes` | settings, what is added for the model without a turn, turns that are removed |
//! | `goal`, `queue` | turns that nobody starts: towards the goal, and of messages that waited |
//! | `memory` | the conversation of a thread that is not on disk |
//! | `refusals` | words for what it does not do |
//! | `step` | what it has to do |
//! | `steps` | first to disk, then to the clients |
//! | `usage` | what the thread has used |
//! | `turns` | starting, steering, interrupting, and the reports of the turn |

use std::sync::{Arc, Mutex};

use actix::prelude::*;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use toml::Table;

use crate::approval::remembered::Remembered;
use crate::clock::Clock;
use crate::context::Context;
use crate::mcp::Servers;
use crate::protocol::model::HistoryItem;
use crate::protocol::thread::ThreadGoal;
use crate::protocol::turn::NonSteerableTurnKind;
use crate::protocol::usage::ThreadTokenUsage;
use crate::router::Router;
use crate::store::{Store, ThreadRecord};
use crate::turn::{Shells, Turn, TurnRules, TurnSetup};

mod activity;
mod attach;
mod behind;
mod changes;
mod goal;
mod memory;
mod messages;
mod queue;
mod refusals;
mod running;
mod state;
mod step;
mod steps;
mod telling;
#[cfg(test)]
mod tests;
mod turns;
mod usage;

pub use activity::{Activity, SharedActivity};
use memory::Memory;
pub use messages::{
    Attach, AttachClient, ChangeSettings, ChangeThreadGoal, ClearThreadGoal, CompactThread, Describe, EndTurn,
    InjectItems, InterruptTurn, QueueWords, Revert, ReviewThread, RunUserCommand, StartTurn, SteerTurn, ThreadSnapshot,
};
pub use refusals::{no_goal, not_on_disk};
use state::ThreadState;
pub use telling::{added, collaboration_mode, goal_updated};

/// See the module's documentation. It ends when the registry drops its address.
pub struct Thread {
    record: Arc<ThreadRecord>,
    parts: ThreadParts,
    state: ThreadState,
    activity: SharedActivity,
    running: Option<Running>,
    /// The rules of the last turn.
    rules: Option<TurnRules>,
    /// What the model has seen of a thread that is not on disk; `None` for all others.
    history: Option<Memory>,
    /// The goal that the agent works towards; its turns go on by themselves.
    goal: Option<ThreadGoal>,
    /// Turns in a row that the agent has begun by itself and only talked in.
    idle_turns: usize,
    /// There may be messages that wait.
    may_have_queued: bool,
    /// The conversation no longer fits into the model's context.
    too_long: bool,
    /// The text of the turn is on its way to disk.
    recording: bool,
    /// Commands of its turns.
    shells: Arc<Shells>,
    /// Its MCP servers.
    servers: Arc<Servers>,
    /// What a person has allowed.
    allowed: Arc<Mutex<Remembered>>,
    /// Its last turns were removed: another actor is about to take its place, and no turn begins here.
    reverted: bool,
}

/// What all threads work with.
#[derive(Clone)]
pub struct ThreadParts {
    /// Where answers and notifications go.
    pub router: Arc<Addr<Router>>,
    /// The database.
    pub store: Arc<Addr<Store>>,
    /// How turns are run.
    pub turns: Arc<TurnSetup>,
    /// The wall clock.
    pub clock: Clock,
    /// Bytes of conversation that a thread that is not on disk may keep, from which on clients cannot add to it.
    pub history_bytes: usize,
    /// What a drain waits for.
    pub work: TaskTracker,
}

/// What is known of a thread when it is loaded.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// What it has cost.
    pub usage: Option<ThreadTokenUsage>,
    /// Its goal, whether the agent works towards it or not.
    pub goal: Option<ThreadGoal>,
    /// What the model has seen of a thread that is not on disk; `None` for one that is.
    pub memory: Option<Vec<HistoryItem>>,
    /// What a client has chosen for it, in the words of `config.toml`. It counts while the thread is loaded.
    pub config: Arc<Table>,
}

/// A turn that runs.
struct Running {
    turn: Arc<Addr<Turn>>,
    /// It takes no words: it is work of this kind.
    deaf: Option<NonSteerableTurnKind>,
    /// Cancelled when it has ended, and its end is on disk.
    ended: CancellationToken,
    /// Brings its text to disk from time to time; `None` where the thread is not on disk.
    progress: Option<SpawnHandle>,
    /// Keeps a drain waiting until the turn has ended.
    _work: TaskTrackerToken,
}

impl Thread {
    /// Creates a thread with the settings of `record`. The rest of `record` only matters for an ephemeral thread, which
    /// is not in the database.
    pub fn new(record: Arc<ThreadRecord>, Past { usage, goal, memory, .. }: Past, parts: ThreadParts) -> Self {
        let may_have_queued = memory.is_none();
        let history = memory.map(|entries| {
            let mut memory = Memory::new(parts.history_bytes);
            memory.add(&entries);
            memory
        });
        let mut thread = Self {
            state: ThreadState::new(record.id, usage),
            activity: SharedActivity::new(Activity::Idle),
            servers: Arc::new(Servers::new(parts.turns.mcp.clone(), record.id)),
            history,
            record,
            parts,
            running: None,
            rules: None,
            goal: None,
            idle_turns: 0,
            may_have_queued,
            too_long: false,
            recording: false,
            shells: Arc::default(),
            allowed: Arc::default(),
            reverted: false,
        };
        thread.know_goal(goal);
        thread
    }

    /// The commands of its turns, for its registry.
    pub fn shells(&self) -> Arc<Shells> {
        self.shells.clone()
    }

    /// Its MCP servers, for its registry.
    pub fn servers(&self) -> Arc<Servers> {
        self.servers.clone()
    }

    /// What it does, for its registry.
    pub fn activity(&self) -> SharedActivity {
        self.activity.clone()
    }
}

impl Actor for Thread {
    type Context = Context<Self>;
}

impl Handler<Describe> for Thread {
    type Result = Arc<ThreadRecord>;

    fn handle(&mut self, _: Describe, _: &mut Self::Context) -> Arc<ThreadRecord> {
        self.record.clone()
    }
}
