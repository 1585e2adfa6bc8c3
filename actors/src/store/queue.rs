//! Messages that wait until a thread is idle.

use diesel::prelude::*;

use super::Question;
use super::messages::{AddQueued, DeleteQueued, ListQueued, Queued};
use super::row::{read, written};
use super::schema::queued_messages as table;
use super::threads::exists;
use crate::protocol::thread::{QueuedSubmission, ThreadId};

type Row = (String, String, String, Option<String>);

impl Question for AddQueued {
    type Answer = Queued;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Queued> {
        let Self { thread_id, submission, most } = self;
        if !exists(db, thread_id)? {
            return Ok(Queued::UnknownThread);
        }
        let thread = thread_id.to_string();
        let waiting: i64 = table::table.filter(table::thread_id.eq(&thread)).count().get_result(db)?;
        if usize::try_from(waiting).unwrap_or(usize::MAX) >= most {
            return Ok(Queued::Full);
        }
        let metadata = submission.responsesapi_client_metadata.as_ref().map(written).transpose()?;
        diesel::insert_into(table::table)
            .values((
                table::thread_id.eq(thread),
                table::id.eq(&submission.id),
                table::client_id.eq(&submission.client_user_message_id),
                table::input.eq(written(&submission.input)?),
                table::metadata.eq(metadata),
            ))
            .execute(db)?;
        Ok(Queued::Added(submission))
    }
}

impl Question for ListQueued {
    type Answer = Vec<QueuedSubmission>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let rows: Vec<Row> = table::table
            .filter(table::thread_id.eq(self.thread_id.to_string()).and(table::id.gt(self.after)))
            .order(table::id)
            .limit(self.most.into())
            .select((table::id, table::client_id, table::input, table::metadata))
            .load(db)?;
        rows.into_iter().map(submission).collect()
    }
}

impl Question for DeleteQueued {
    type Answer = bool;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        delete(db, self.thread_id, &self.id)
    }
}

/// Takes a message out of the queue; whether it was there.
pub(super) fn delete(db: &mut SqliteConnection, thread_id: ThreadId, id: &str) -> QueryResult<bool> {
    Ok(diesel::delete(table::table.find((thread_id.to_string(), id))).execute(db)? > 0)
}

fn submission((id, client_user_message_id, input, metadata): Row) -> QueryResult<QueuedSubmission> {
    Ok(QueuedSubmission {
        id,
        client_user_message_id,
        input: read(&input)?,
        responsesapi_client_metadata: metadata.as_deref().map(read).transpose()?,
    })
}
