//! `update_plan`: the steps of the work, for the person.

use std::rc::Rc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema::parameters;
use super::{Answer, Tool, Toolbox, USUAL_BYTES, run};
use crate::protocol::turn::{TurnPlanStep, TurnPlanStepStatus};
use crate::turn::messages::TurnEvent;

pub(super) const TOOL: Tool = Tool {
    name: "update_plan",
    about: "Shows the person the steps of your work. At most one step is in progress.",
    parameters: parameters::<UpdatePlan>,
    most_bytes: USUAL_BYTES,
    run: |toolbox, call| run(toolbox, &call, update_plan),
};

#[derive(Deserialize, JsonSchema)]
struct UpdatePlan {
    /// Why the plan changed.
    #[serde(default)]
    explanation: Option<String>,
    /// All steps, in their order.
    plan: Vec<Step>,
}

#[derive(Deserialize, JsonSchema)]
struct Step {
    /// What is done in this step.
    step: String,
    /// How far it is.
    status: Status,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    #[serde(alias = "inProgress")]
    InProgress,
    Completed,
}

async fn update_plan(toolbox: Rc<Toolbox>, _: String, UpdatePlan { explanation, plan }: UpdatePlan) -> Answer {
    let steps = plan.into_iter().map(|Step { step, status }| TurnPlanStep { step, status: status.into() }).collect();
    toolbox.report(vec![TurnEvent::Planned { explanation, steps }]).await;
    Answer::Text("Plan updated".to_owned())
}

impl From<Status> for TurnPlanStepStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::InProgress => Self::InProgress,
            Status::Completed => Self::Completed,
        }
    }
}
