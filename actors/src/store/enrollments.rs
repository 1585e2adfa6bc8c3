//! Enrollments at remote-control backends (spec: remote control 11).

use diesel::prelude::*;

use super::Question;
use super::messages::{LoadEnrollment, SaveEnrollment, SetRemoteControlEnabled};
use super::record::{EnrollmentKey, EnrollmentRecord};
use super::schema::remote_control_enrollments as table;

impl Question for LoadEnrollment {
    type Answer = Option<EnrollmentRecord>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let EnrollmentKey { websocket_url, account_id, client_name } = self.key;
        let row: Option<(String, String, Option<bool>)> = table::table
            .find((websocket_url, account_id, client_name))
            .select((table::server_id, table::environment_id, table::remote_control_enabled))
            .get_result(db)
            .optional()?;
        Ok(row.map(|(server_id, environment_id, enabled)| EnrollmentRecord { server_id, environment_id, enabled }))
    }
}

impl Question for SaveEnrollment {
    type Answer = ();
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<()> {
        let EnrollmentKey { websocket_url, account_id, client_name } = self.key;
        let changing = (
            table::server_id.eq(self.server_id),
            table::environment_id.eq(self.environment_id),
            table::server_name.eq(self.server_name),
            table::updated_at.eq(self.at_seconds),
        );
        diesel::insert_into(table::table)
            .values((
                table::websocket_url.eq(websocket_url),
                table::account_id.eq(account_id),
                table::app_server_client_name.eq(client_name),
                changing.clone(),
            ))
            .on_conflict((table::websocket_url, table::account_id, table::app_server_client_name))
            .do_update()
            .set(changing)
            .execute(db)
            .map(drop)
    }
}

impl Question for SetRemoteControlEnabled {
    type Answer = bool;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        let EnrollmentKey { websocket_url, account_id, client_name } = self.key;
        let changed = diesel::update(table::table.find((websocket_url, account_id, client_name)))
            .set((table::remote_control_enabled.eq(self.enabled), table::updated_at.eq(self.at_seconds)))
            .execute(db)?;
        Ok(changed > 0)
    }
}
