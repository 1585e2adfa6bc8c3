//! The phones that speak end to end with this machine, and its key.

use diesel::prelude::*;

use super::Question;
use super::messages::{DeviceRecord, ForgetDevice, ListDevices, LoadDevices, SaveDevice, UseDevice};
use super::schema::{remote_control_devices as table, remote_control_key as key};
use crate::protocol::scope::{Scope, Scopes};

/// The only row of the key's table.
const ROW: i64 = 1;

type Row = (String, Vec<u8>, Option<String>, String);

fn written(scopes: Scopes) -> String {
    scopes.iter().map(Scope::name).collect::<Vec<_>>().join(",")
}

/// What cannot be read gives no right.
fn read(scopes: &str) -> Scopes {
    Scopes::from_list(scopes).unwrap_or(Scopes::NONE)
}

impl Question for LoadDevices {
    type Answer = (Vec<u8>, Vec<DeviceRecord>);
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let Self { environment_id, new_key } = self;
        diesel::insert_or_ignore_into(key::table)
            .values((key::id.eq(ROW), key::private_key.eq(new_key)))
            .execute(db)?;
        let private: Vec<u8> = key::table.find(ROW).select(key::private_key).first(db)?;
        Ok((private, devices(db, environment_id)?))
    }
}

fn devices(db: &mut SqliteConnection, environment_id: String) -> QueryResult<Vec<DeviceRecord>> {
    let rows: Vec<Row> = table::table
        .filter(table::environment_id.eq(&environment_id))
        .select((table::client_id, table::public_key, table::name, table::scopes))
        .load(db)?;
    let devices = rows.into_iter().map(|(client_id, public_key, name, scopes)| DeviceRecord {
        environment_id: environment_id.clone(),
        client_id,
        public_key,
        name,
        scopes: read(&scopes),
    });
    Ok(devices.collect())
}

impl Question for ListDevices {
    type Answer = Vec<DeviceRecord>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        devices(db, self.environment_id)
    }
}

impl Question for SaveDevice {
    type Answer = ();
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<()> {
        let Self { device, at, most } = self;
        let DeviceRecord { environment_id, client_id, public_key, name, scopes } = device;
        let row = (
            table::environment_id.eq(&environment_id),
            table::client_id.eq(client_id),
            table::public_key.eq(public_key),
            table::name.eq(name),
            table::scopes.eq(written(scopes)),
            table::paired_at.eq(at),
            table::used_at.eq(at),
        );
        diesel::replace_into(table::table).values(row).execute(db)?;
        let newest_first: Vec<String> = table::table
            .filter(table::environment_id.eq(&environment_id))
            .order(table::used_at.desc())
            .select(table::client_id)
            .load(db)?;
        let surplus = newest_first.get(most.max(1)..).unwrap_or_default();
        let its = table::table.filter(table::environment_id.eq(&environment_id));
        diesel::delete(its.filter(table::client_id.eq_any(surplus))).execute(db).map(drop)
    }
}

impl Question for ForgetDevice {
    type Answer = bool;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        let its = table::table.find((self.environment_id, self.client_id));
        Ok(diesel::delete(its).execute(db)? > 0)
    }
}

impl Question for UseDevice {
    type Answer = ();
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<()> {
        let its = table::table.find((self.environment_id, self.client_id));
        diesel::update(its).set(table::used_at.eq(self.at)).execute(db).map(drop)
    }
}
