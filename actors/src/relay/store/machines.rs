//! Machines, as whoever runs the relay sees them.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::schema::{accounts, devices, pairings, servers};
use crate::store::Question;

/// Lists the machines of all accounts, by account and name.
pub struct ListMachines;

/// The answer to [`ListMachines`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machines {
    /// By account and name.
    pub machines: Vec<MachineRow>,
    /// How many devices are paired with any of them.
    pub devices: i64,
}

/// A machine, as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineRow {
    /// Id of the server, which nobody but it and the relay knows.
    pub server_id: String,
    /// Name of its account.
    pub account: String,
    /// Its name.
    pub name: String,
    /// When it last asked for a token, in Unix seconds.
    pub last_seen_at: Option<i64>,
    /// How many devices may control it.
    pub devices: i64,
}

impl Question for ListMachines {
    type Answer = Machines;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Machines> {
        let rows: Vec<(String, String, String, Option<i64>)> = servers::table
            .inner_join(accounts::table)
            .order((accounts::name, servers::name, servers::created_at))
            .select((servers::id, accounts::name, servers::name, servers::last_seen_at))
            .load(db)?;
        let paired: HashMap<String, i64> = pairings::table
            .group_by(pairings::server_id)
            .select((pairings::server_id, count_star()))
            .load::<(String, i64)>(db)?
            .into_iter()
            .collect();
        let machines = rows.into_iter().map(|(server_id, account, name, last_seen_at)| {
            let devices = paired.get(&server_id).copied().unwrap_or_default();
            MachineRow { server_id, account, name, last_seen_at, devices }
        });
        Ok(Machines { machines: machines.collect(), devices: devices::table.count().get_result(db)? })
    }
}
