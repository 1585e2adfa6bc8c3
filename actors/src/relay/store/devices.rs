//! Devices, and which servers each may control.

use diesel::prelude::*;

use super::schema::{devices, pairings, servers};
use super::scopes::read;
use super::servers::Bearer;
use crate::protocol::remote::SortOrder;
use crate::protocol::scope::{Scope, Scopes};
use crate::store::Question;

/// A server that a device may control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paired {
    /// Id of the device as a controller of this server.
    pub client_id: String,
    /// Id of the server.
    pub server_id: String,
    /// Id of its environment.
    pub environment_id: String,
    /// Name of the machine.
    pub machine: String,
    /// What the device may do.
    pub scopes: Scopes,
    /// What the device is called there.
    pub display_name: Option<String>,
}

/// The device with this token, and what it may control.
pub struct Device {
    /// Digest of the token.
    pub digest: String,
    /// Unix seconds.
    pub at: i64,
}

/// The answer to [`Device`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// Its id.
    pub id: String,
    /// When its token was issued, in Unix seconds.
    pub issued_at: i64,
    /// Whether the token is the one before the current one.
    pub is_previous: bool,
    /// What it may control, by the time of pairing.
    pub machines: Vec<Paired>,
}

impl Question for Device {
    type Answer = Option<DeviceRow>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let current = devices::digest.eq(&self.digest);
        let previous = devices::previous_digest.eq(&self.digest).and(devices::previous_until.gt(self.at));
        let row: Option<(String, String, i64)> = devices::table
            .filter(current.or(previous.assume_not_null()))
            .select((devices::id, devices::digest, devices::issued_at))
            .first(db)
            .optional()?;
        let Some((id, digest, issued_at)) = row else { return Ok(None) };
        let rows: Vec<(String, String, String, String, String, Option<String>)> = pairings::table
            .inner_join(servers::table)
            .filter(pairings::device_id.eq(&id))
            .order(pairings::created_at)
            .select((
                pairings::client_id,
                servers::id,
                servers::environment_id,
                servers::name,
                pairings::scopes,
                pairings::display_name,
            ))
            .load(db)?;
        let machines = rows
            .into_iter()
            .map(|(client_id, server_id, environment_id, machine, scopes, display_name)| Paired {
                client_id,
                server_id,
                environment_id,
                machine,
                scopes: read(&scopes),
                display_name,
            })
            .collect();
        Ok(Some(DeviceRow { id, issued_at, is_previous: digest != self.digest, machines }))
    }
}

/// Gives a device another token. The one before stays good until `previous_until`. Answers whether the device still had the
/// token `before`.
pub struct RenewDevice {
    /// Id of the device.
    pub id: String,
    /// Digest of its token.
    pub before: String,
    /// Digest of the new one.
    pub digest: String,
    /// Unix seconds.
    pub previous_until: i64,
    /// Unix seconds.
    pub at: i64,
}

impl Question for RenewDevice {
    type Answer = bool;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        let its = devices::table.filter(devices::id.eq(self.id)).filter(devices::digest.eq(&self.before));
        let change = (
            devices::digest.eq(self.digest),
            devices::previous_digest.eq(&self.before),
            devices::previous_until.eq(self.previous_until),
            devices::issued_at.eq(self.at),
        );
        Ok(diesel::update(its).set(change).execute(db)? > 0)
    }
}

/// A page of the devices that may control an environment. Answers `None` if the token is not good, and `Some(None)` if the
/// account has no such environment.
pub struct ListPairings {
    /// Who asks.
    pub bearer: Bearer,
    /// Id of the environment.
    pub environment_id: String,
    /// Where the page begins.
    pub skip: i64,
    /// Most rows, and one more says that there are more.
    pub limit: i64,
    /// By the time of pairing.
    pub order: SortOrder,
}

/// A device that may control an environment.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct PairingRow {
    /// Id of the controller.
    pub client_id: String,
    /// Its name, for people.
    pub display_name: Option<String>,
    /// What it runs on.
    pub platform: Option<String>,
    /// Unix seconds.
    pub last_seen_at: Option<i64>,
}

/// The server behind an environment of the account.
fn server_of(db: &mut SqliteConnection, bearer: &Bearer, environment_id: &str) -> QueryResult<Option<String>> {
    servers::table
        .filter(servers::environment_id.eq(environment_id))
        .filter(servers::account_id.eq(&bearer.account_id))
        .select(servers::id)
        .first(db)
        .optional()
}

impl Question for ListPairings {
    type Answer = Option<Option<Vec<PairingRow>>>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        if !self.bearer.is_good(db)? {
            return Ok(None);
        }
        let Some(server) = server_of(db, &self.bearer, &self.environment_id)? else { return Ok(Some(None)) };
        let its = pairings::table.filter(pairings::server_id.eq(server)).into_boxed();
        let ordered = match self.order {
            SortOrder::Asc => its.order((pairings::created_at.asc(), pairings::client_id.asc())),
            SortOrder::Desc => its.order((pairings::created_at.desc(), pairings::client_id.desc())),
        };
        let columns = (pairings::client_id, pairings::display_name, pairings::platform, pairings::last_seen_at);
        Ok(Some(Some(ordered.select(columns).offset(self.skip).limit(self.limit).load(db)?)))
    }
}

/// Ends a pairing. A device without any other is forgotten. Answers with the server's id; `None` if there is no such pairing
/// for whoever asks.
pub struct EndPairing {
    /// The account of the server, or the device itself.
    pub by: Result<Bearer, String>,
    /// Id of the environment.
    pub environment_id: String,
    /// Id of the controller.
    pub client_id: String,
}

impl Question for EndPairing {
    type Answer = Option<Option<String>>;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let row = owned(db, &self.environment_id, &self.client_id)?;
        let is_theirs = match (&self.by, &row) {
            (Ok(bearer), _) if !bearer.is_good(db)? => return Ok(None),
            (Ok(bearer), Some(its)) => bearer.account_id == its.account_id,
            (Err(device), Some(its)) => *device == its.device_id,
            (_, None) => false,
        };
        let Some(its) = row.filter(|_| is_theirs) else { return Ok(Some(None)) };
        diesel::delete(pairings::table.find(&self.client_id)).execute(db)?;
        let others: i64 = pairings::table.filter(pairings::device_id.eq(&its.device_id)).count().get_result(db)?;
        if others == 0 {
            diesel::delete(devices::table.find(its.device_id)).execute(db)?;
        }
        Ok(Some(Some(its.server_id)))
    }
}

/// Whose a pairing is.
#[derive(Queryable)]
struct Owned {
    device_id: String,
    server_id: String,
    account_id: String,
}

/// Whose the pairing of this controller with this environment is, if there is one.
fn owned(db: &mut SqliteConnection, environment_id: &str, client_id: &str) -> QueryResult<Option<Owned>> {
    pairings::table
        .inner_join(servers::table)
        .filter(pairings::client_id.eq(client_id))
        .filter(servers::environment_id.eq(environment_id))
        .select((pairings::device_id, servers::id, servers::account_id))
        .first(db)
        .optional()
}

/// Gives a controller another name. The account of its server may, the device itself, and a device that may do everything on the
/// same server. Answers as [`EndPairing`].
pub struct RenamePairing {
    /// The account of the server, or a device.
    pub by: Result<Bearer, String>,
    /// Id of the environment.
    pub environment_id: String,
    /// Id of the controller.
    pub client_id: String,
    /// The name; `None` takes it away.
    pub display_name: Option<String>,
}

impl Question for RenamePairing {
    type Answer = Option<Option<()>>;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let row = owned(db, &self.environment_id, &self.client_id)?;
        let may = match (&self.by, &row) {
            (Ok(bearer), _) if !bearer.is_good(db)? => return Ok(None),
            (Ok(bearer), Some(its)) => bearer.account_id == its.account_id,
            (Err(device), Some(its)) => *device == its.device_id || may_do_everything(db, device, &its.server_id)?,
            (_, None) => false,
        };
        if !may {
            return Ok(Some(None));
        }
        let named = pairings::display_name.eq(self.display_name);
        diesel::update(pairings::table.find(&self.client_id)).set(named).execute(db)?;
        Ok(Some(Some(())))
    }
}

fn may_do_everything(db: &mut SqliteConnection, device: &str, server_id: &str) -> QueryResult<bool> {
    let its = pairings::table.filter(pairings::device_id.eq(device)).filter(pairings::server_id.eq(server_id));
    let scopes: Option<String> = its.select(pairings::scopes).first(db).optional()?;
    Ok(scopes.is_some_and(|scopes| read(&scopes).include(Scope::Admin)))
}

/// A device has come to control a server.
pub struct Seen {
    /// Id of the controller.
    pub client_id: String,
    /// Unix seconds.
    pub at: i64,
}

impl Question for Seen {
    type Answer = ();
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<()> {
        let its = pairings::table.find(self.client_id);
        diesel::update(its).set(pairings::last_seen_at.eq(self.at)).execute(db).map(drop)
    }
}
