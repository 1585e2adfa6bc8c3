//! The goals of threads.

use diesel::prelude::*;

use super::Question;
use super::messages::{ChangeGoal, ClearGoal, GoalChange, ReadGoal};
use super::row::{read, written};
use super::schema::goals;
use super::threads::exists;
use crate::protocol::thread::{ThreadGoal, ThreadGoalStatus, ThreadId};

/// A row of the table.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = goals, treat_none_as_null = true)]
struct Row {
    thread_id: String,
    objective: String,
    status: String,
    token_budget: Option<i64>,
    tokens_used: i64,
    used_ms: i64,
    created_at_ms: i64,
    updated_at_ms: i64,
}

/// A goal, with its times in milliseconds.
struct Goal {
    objective: String,
    status: ThreadGoalStatus,
    token_budget: Option<i64>,
    tokens_used: i64,
    used_ms: i64,
    created_at_ms: i64,
    updated_at_ms: i64,
}

impl Goal {
    /// The goal after a change; `None` where there is nothing to change.
    fn changed(known: Option<Self>, change: GoalChange, at_ms: i64) -> Option<Self> {
        let mut goal = match change {
            GoalChange::Set { objective, status, token_budget } => {
                let is_new = |objective: &String| known.as_ref().is_none_or(|known| known.objective != *objective);
                let mut goal = match objective.filter(is_new) {
                    Some(objective) => Self {
                        objective,
                        status: ThreadGoalStatus::Active,
                        token_budget: None,
                        tokens_used: 0,
                        used_ms: 0,
                        created_at_ms: at_ms,
                        updated_at_ms: at_ms,
                    },
                    None => known?,
                };
                goal.token_budget = token_budget.or(goal.token_budget);
                goal.status = status.unwrap_or(match goal.status {
                    // More tokens let it go on.
                    ThreadGoalStatus::BudgetLimited => ThreadGoalStatus::Active,
                    status => status,
                });
                goal
            }
            GoalChange::Settle(status) => {
                let goal = known.filter(|goal| goal.status == ThreadGoalStatus::Active)?;
                Self { status, ..goal }
            }
            GoalChange::Spend { tokens, ms } => {
                let goal = known?;
                let tokens_used = goal.tokens_used.saturating_add(tokens);
                Self { tokens_used, used_ms: goal.used_ms.saturating_add(ms), ..goal }
            }
        };
        // A budget that is used up ends the work; what the agent or a person has settled stays.
        let is_spent = goal.token_budget.is_some_and(|budget| goal.tokens_used >= budget);
        if is_spent && goal.status == ThreadGoalStatus::Active {
            goal.status = ThreadGoalStatus::BudgetLimited;
        }
        Some(Self { updated_at_ms: at_ms, ..goal })
    }

    fn of(row: Row) -> QueryResult<Self> {
        let Row { objective, status, token_budget, tokens_used, used_ms, created_at_ms, updated_at_ms, .. } = row;
        let status = read(&status)?;
        Ok(Self { objective, status, token_budget, tokens_used, used_ms, created_at_ms, updated_at_ms })
    }

    fn row(&self, thread_id: ThreadId) -> QueryResult<Row> {
        Ok(Row {
            thread_id: thread_id.to_string(),
            objective: self.objective.clone(),
            status: written(&self.status)?,
            token_budget: self.token_budget,
            tokens_used: self.tokens_used,
            used_ms: self.used_ms,
            created_at_ms: self.created_at_ms,
            updated_at_ms: self.updated_at_ms,
        })
    }

    /// As it is told.
    fn told(self, thread_id: ThreadId) -> ThreadGoal {
        ThreadGoal {
            thread_id,
            objective: self.objective,
            status: self.status,
            token_budget: self.token_budget,
            tokens_used: self.tokens_used,
            time_used_seconds: self.used_ms.div_euclid(1000),
            created_at: self.created_at_ms.div_euclid(1000),
            updated_at: self.updated_at_ms.div_euclid(1000),
        }
    }
}

fn find(db: &mut SqliteConnection, thread_id: ThreadId) -> QueryResult<Option<Goal>> {
    let row = goals::table.find(thread_id.to_string()).select(Row::as_select()).get_result(db).optional()?;
    row.map(Goal::of).transpose()
}

impl Question for ReadGoal {
    type Answer = Option<ThreadGoal>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        Ok(find(db, self.thread_id)?.map(|goal| goal.told(self.thread_id)))
    }
}

impl Question for ChangeGoal {
    type Answer = Option<ThreadGoal>;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let Self { thread_id, change, at_ms } = self;
        if !exists(db, thread_id)? {
            return Ok(None);
        }
        let Some(goal) = Goal::changed(find(db, thread_id)?, change, at_ms) else { return Ok(None) };
        let row = goal.row(thread_id)?;
        diesel::insert_into(goals::table)
            .values(&row)
            .on_conflict(goals::thread_id)
            .do_update()
            .set(&row)
            .execute(db)?;
        Ok(Some(goal.told(thread_id)))
    }
}

impl Question for ClearGoal {
    type Answer = bool;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        Ok(diesel::delete(goals::table.find(self.thread_id.to_string())).execute(db)? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(objective: Option<&str>, status: Option<ThreadGoalStatus>, token_budget: Option<i64>) -> GoalChange {
        GoalChange::Set { objective: objective.map(str::to_owned), status, token_budget }
    }

    fn after(changes: impl IntoIterator<Item = GoalChange>) -> Option<Goal> {
        changes.into_iter().fold(None, |known, change| Goal::changed(known, change, 5))
    }

    #[test]
    fn other_words_are_a_new_goal_and_the_same_words_are_not() {
        let spent = || [set(Some("a"), None, Some(100)), GoalChange::Spend { tokens: 40, ms: 1500 }];
        let same = after(spent().into_iter().chain([set(Some("a"), None, None)])).unwrap();
        assert_eq!((same.tokens_used, same.used_ms, same.token_budget), (40, 1500, Some(100)));
        let other = after(spent().into_iter().chain([set(Some("b"), None, None)])).unwrap();
        assert_eq!((other.tokens_used, other.used_ms, other.token_budget), (0, 0, None));
        assert!(after([set(None, Some(ThreadGoalStatus::Paused), None)]).is_none(), "there is none to pause");
    }

    #[test]
    fn a_budget_that_is_used_up_limits_the_goal_until_it_is_raised() {
        let spend = || GoalChange::Spend { tokens: 60, ms: 0 };
        let limited = || [set(Some("a"), None, Some(100)), spend(), spend()];
        let status = |more: Vec<GoalChange>| after(limited().into_iter().chain(more)).unwrap().status;
        assert_eq!(status(vec![]), ThreadGoalStatus::BudgetLimited);
        assert_eq!(status(vec![set(None, Some(ThreadGoalStatus::Active), None)]), ThreadGoalStatus::BudgetLimited);
        assert_eq!(status(vec![set(None, None, Some(200))]), ThreadGoalStatus::Active);
        assert_eq!(status(vec![set(None, Some(ThreadGoalStatus::Complete), None)]), ThreadGoalStatus::Complete);
    }

    #[test]
    fn only_an_active_goal_is_worked_on() {
        let paused = || [set(Some("a"), None, None), set(None, Some(ThreadGoalStatus::Paused), None)];
        let settled = paused().into_iter().chain([GoalChange::Settle(ThreadGoalStatus::Complete)]);
        assert!(after(settled).is_none());
        let spent = after(paused().into_iter().chain([GoalChange::Spend { tokens: 1, ms: 1 }])).unwrap();
        assert_eq!((spent.status, spent.tokens_used), (ThreadGoalStatus::Paused, 1), "the turn that was paused counts");
    }
}
