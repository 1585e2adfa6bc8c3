//! Pairing codes, and their claim by a device.

use diesel::prelude::*;

use super::devices::Paired;
use super::schema::{devices, pairing_codes, pairings, servers};
use super::scopes::{read, written};
use crate::protocol::scope::Scopes;
use crate::store::Question;

/// Adds a code of a server. Answers `None` if there is no such server.
pub struct NewCode {
    /// Id of the server.
    pub server_id: String,
    /// Digest of the code for scanning.
    pub digest: String,
    /// Digest and first letters of the code for typing.
    pub manual: Option<(String, String)>,
    /// What the device may do.
    pub scopes: Scopes,
    /// Unix seconds.
    pub expires_at: i64,
    /// Unix seconds.
    pub at: i64,
    /// Most codes of a server that are good at a time.
    pub most: usize,
}

impl Question for NewCode {
    type Answer = Option<()>;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let exists: i64 = servers::table.filter(servers::id.eq(&self.server_id)).count().get_result(db)?;
        if exists == 0 {
            return Ok(None);
        }
        diesel::delete(pairing_codes::table.filter(pairing_codes::expires_at.le(self.at))).execute(db)?;
        let newest_first = pairing_codes::table
            .filter(pairing_codes::server_id.eq(&self.server_id))
            .order(pairing_codes::id.desc())
            .select(pairing_codes::id);
        let before: Vec<i64> = newest_first.load(db)?;
        let surplus = before.get(self.most.saturating_sub(1)..).unwrap_or_default();
        diesel::delete(pairing_codes::table.filter(pairing_codes::id.eq_any(surplus))).execute(db)?;
        let (manual_digest, manual_index) = self.manual.unzip();
        let row = (
            pairing_codes::server_id.eq(self.server_id),
            pairing_codes::digest.eq(self.digest),
            pairing_codes::manual_digest.eq(manual_digest),
            pairing_codes::manual_index.eq(manual_index),
            pairing_codes::scopes.eq(written(self.scopes)),
            pairing_codes::tries.eq(0),
            pairing_codes::claimed.eq(false),
            pairing_codes::expires_at.eq(self.expires_at),
        );
        diesel::insert_into(pairing_codes::table).values(row).execute(db)?;
        Ok(Some(()))
    }
}

/// Whether a code of this server was claimed; `None` if it is not good any more.
pub struct CodeStatus {
    /// Id of the server.
    pub server_id: String,
    /// Digest of the code.
    pub digest: String,
    /// Unix seconds.
    pub at: i64,
}

impl Question for CodeStatus {
    type Answer = Option<bool>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let its = pairing_codes::digest.eq(&self.digest).or(pairing_codes::manual_digest.eq(&self.digest));
        let row: Option<(bool, i64)> = pairing_codes::table
            .filter(pairing_codes::server_id.eq(&self.server_id))
            .filter(its.assume_not_null())
            .select((pairing_codes::claimed, pairing_codes::expires_at))
            .first(db)
            .optional()?;
        Ok(row.filter(|(claimed, expires_at)| *claimed || *expires_at > self.at).map(|(claimed, _)| claimed))
    }
}

/// Claims a code for a device. A code is good once; a wrong guess counts against the codes with the same first letters.
pub struct Claim {
    /// Digest of the code.
    pub digest: String,
    /// The first letters of a code that was typed.
    pub index: Option<String>,
    /// The device, if it has a token already, and otherwise the one that it gets.
    pub device: ClaimedBy,
    /// Id of the controller.
    pub client_id: String,
    /// Its name, for people.
    pub display_name: Option<String>,
    /// What it runs on.
    pub platform: Option<String>,
    /// Wrong guesses at which a code is burnt.
    pub tries: i64,
    /// Most devices of a server.
    pub most: usize,
    /// Unix seconds.
    pub at: i64,
}

/// Who claims a code.
#[derive(Clone, Debug)]
pub struct ClaimedBy {
    /// Id of a device that exists.
    pub existing: Option<String>,
    /// Id and digest of the token of a new one.
    pub new: (String, String),
}

/// The outcome of a [`Claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The device may control the server.
    Paired {
        /// The pairing.
        paired: Paired,
        /// Id of the controller that the device was for this server before.
        replaced: Option<String>,
    },
    /// There is no such code, or not any more.
    Wrong,
    /// The server has as many devices as it may have.
    Full,
}

impl Question for Claim {
    type Answer = Claimed;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Claimed> {
        let its = pairing_codes::digest.eq(&self.digest).or(pairing_codes::manual_digest.eq(&self.digest));
        let good = pairing_codes::table
            .filter(its.assume_not_null())
            .filter(pairing_codes::claimed.eq(false))
            .filter(pairing_codes::expires_at.gt(self.at))
            .filter(pairing_codes::tries.lt(self.tries))
            .select((pairing_codes::id, pairing_codes::server_id, pairing_codes::scopes));
        let found: Option<(i64, String, String)> = good.first(db).optional()?;
        let Some((code, server_id, scopes)) = found else {
            if let Some(index) = self.index {
                let aimed_at = pairing_codes::table.filter(pairing_codes::manual_index.eq(index));
                let again = pairing_codes::tries.eq(pairing_codes::tries + 1);
                diesel::update(aimed_at).set(again).execute(db)?;
            }
            return Ok(Claimed::Wrong);
        };
        let device_id = self.device.existing.clone().unwrap_or_else(|| self.device.new.0.clone());
        let of_server = pairings::table.filter(pairings::server_id.eq(&server_id));
        let others: i64 = of_server.filter(pairings::device_id.ne(&device_id)).count().get_result(db)?;
        if others >= i64::try_from(self.most).unwrap_or(i64::MAX) {
            return Ok(Claimed::Full);
        }
        if self.device.existing.is_none() {
            let row = (
                devices::id.eq(&device_id),
                devices::digest.eq(self.device.new.1),
                devices::previous_until.eq(0),
                devices::issued_at.eq(self.at),
            );
            diesel::insert_into(devices::table).values(row).execute(db)?;
        }
        // Paired again, it gets a new name, a new id and the scopes of the new code.
        let before = of_server.filter(pairings::device_id.eq(&device_id));
        let replaced: Option<String> = before.select(pairings::client_id).first(db).optional()?;
        diesel::delete(before).execute(db)?;
        diesel::update(pairing_codes::table.find(code)).set(pairing_codes::claimed.eq(true)).execute(db)?;
        let row = (
            pairings::client_id.eq(&self.client_id),
            pairings::device_id.eq(device_id),
            pairings::server_id.eq(&server_id),
            pairings::scopes.eq(&scopes),
            pairings::display_name.eq(&self.display_name),
            pairings::platform.eq(self.platform),
            pairings::created_at.eq(self.at),
            pairings::last_seen_at.eq(self.at),
        );
        diesel::insert_into(pairings::table).values(row).execute(db)?;
        let (environment_id, machine): (String, String) =
            servers::table.find(&server_id).select((servers::environment_id, servers::name)).first(db)?;
        let scopes = read(&scopes);
        let (client_id, display_name) = (self.client_id, self.display_name);
        let paired = Paired { client_id, server_id, environment_id, machine, scopes, display_name };
        Ok(Claimed::Paired { paired, replaced })
    }
}
