//! `get_goal` and `update_goal`: what the agent works towards, and whether it is reached.

use std::rc::Rc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema::parameters;
use super::{Answer, Tool, Toolbox, USUAL_BYTES, run};
use crate::protocol::thread::{ThreadGoal, ThreadGoalStatus};
use crate::store;
use crate::store::messages::{ChangeGoal, GoalChange, ReadGoal};
use crate::turn::messages::TurnEvent;

pub(super) const GET: Tool = Tool {
    name: "get_goal",
    about: "Tells the goal of this conversation, and the tokens and the time that it has taken.",
    parameters: parameters::<GetGoal>,
    most_bytes: USUAL_BYTES,
    run: |toolbox, call| run(toolbox, &call, get_goal),
};

pub(super) const UPDATE: Tool = Tool {
    name: "update_goal",
    about: "Says that you are done with the goal of this conversation.",
    parameters: parameters::<UpdateGoal>,
    most_bytes: USUAL_BYTES,
    run: |toolbox, call| run(toolbox, &call, update_goal),
};

#[derive(Deserialize, JsonSchema)]
struct GetGoal {}

#[derive(Deserialize, JsonSchema)]
struct UpdateGoal {
    /// `complete` when everything is reached and checked, `blocked` when you cannot go on without the person, `paused` when
    /// the person asked for a pause.
    status: Settled,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Settled {
    Complete,
    Blocked,
    Paused,
}

async fn get_goal(toolbox: Rc<Toolbox>, _: String, _: GetGoal) -> Answer {
    let goal = store::ask_patiently(&toolbox.setup.store, ReadGoal { thread_id: toolbox.thread_id }).await;
    match goal {
        Ok(goal) => told(goal.as_ref()),
        Err(error) => Answer::Text(format!("get_goal failed: {error}")),
    }
}

async fn update_goal(toolbox: Rc<Toolbox>, _: String, UpdateGoal { status }: UpdateGoal) -> Answer {
    let status = match status {
        Settled::Complete => ThreadGoalStatus::Complete,
        Settled::Blocked => ThreadGoalStatus::Blocked,
        Settled::Paused => ThreadGoalStatus::Paused,
    };
    let (thread_id, at_ms) = (toolbox.thread_id, toolbox.setup.clock.unix_ms());
    let change = ChangeGoal { thread_id, change: GoalChange::Settle(status), at_ms };
    match store::ask_patiently(&toolbox.setup.store, change).await {
        Ok(Some(goal)) => {
            toolbox.report(vec![TurnEvent::GoalChanged(goal.clone())]).await;
            told(Some(&goal))
        }
        Ok(None) => Answer::Text("update_goal failed: there is no goal that you work towards".to_owned()),
        Err(error) => Answer::Text(format!("update_goal failed: {error}")),
    }
}

fn told(goal: Option<&ThreadGoal>) -> Answer {
    let text =
        goal.map_or_else(|| "there is no goal".to_owned(), |goal| serde_json::json!({ "goal": goal }).to_string());
    Answer::Text(text)
}
