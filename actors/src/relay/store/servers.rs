//! Servers: which machines have enrolled.

use diesel::prelude::*;

use super::schema::{account_tokens, servers};
use crate::store::Question;

/// Who asks on behalf of an account.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// Digest of the token.
    pub digest: String,
    /// The account that the request names.
    pub account_id: String,
}

impl Bearer {
    /// Whether the token is one of the account.
    pub(super) fn is_good(&self, db: &mut SqliteConnection) -> QueryResult<bool> {
        let found: Option<String> =
            account_tokens::table.find(&self.digest).select(account_tokens::account_id).first(db).optional()?;
        Ok(found.is_some_and(|account| account == self.account_id))
    }
}

/// Enrolls a server. Answers `None` if the token is not good.
pub struct Enroll {
    /// Who asks.
    pub bearer: Bearer,
    /// The new server.
    pub server: Enrolled,
    /// Id of its installation.
    pub installation_id: String,
    /// Its name, for people.
    pub name: String,
    /// Its operating system.
    pub os: String,
    /// Its architecture.
    pub arch: String,
    /// Most servers of an account.
    pub most: usize,
    /// Unix seconds.
    pub at: i64,
}

/// The ids of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// Id of the server, which only it and the relay know.
    pub server_id: String,
    /// Id of its environment.
    pub environment_id: String,
}

impl Question for Enroll {
    type Answer = Option<()>;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        if !self.bearer.is_good(db)? {
            return Ok(None);
        }
        let account = self.bearer.account_id;
        let oldest_first = servers::table
            .filter(servers::account_id.eq(&account))
            .order((servers::last_seen_at.asc(), servers::created_at.asc()))
            .select(servers::id);
        let before: Vec<String> = oldest_first.load(db)?;
        let surplus = (before.len() + 1).saturating_sub(self.most);
        diesel::delete(servers::table.filter(servers::id.eq_any(&before[..surplus]))).execute(db)?;
        let row = (
            servers::id.eq(self.server.server_id),
            servers::environment_id.eq(self.server.environment_id),
            servers::account_id.eq(account),
            servers::installation_id.eq(self.installation_id),
            servers::name.eq(self.name),
            servers::os.eq(self.os),
            servers::arch.eq(self.arch),
            servers::created_at.eq(self.at),
            servers::last_seen_at.eq(self.at),
        );
        diesel::insert_into(servers::table).values(row).execute(db)?;
        Ok(Some(()))
    }
}

/// The server of an account with this id and installation, which is seen now. Answers `None` if the token is not good, and
/// `Some(None)` if there is no such server.
pub struct ServerOf {
    /// Who asks.
    pub bearer: Bearer,
    /// Id of the server.
    pub server_id: String,
    /// Id of its installation.
    pub installation_id: String,
    /// Unix seconds.
    pub at: i64,
}

impl Question for ServerOf {
    type Answer = Option<Option<Enrolled>>;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        if !self.bearer.is_good(db)? {
            return Ok(None);
        }
        let its = servers::table
            .filter(servers::id.eq(&self.server_id))
            .filter(servers::account_id.eq(&self.bearer.account_id))
            .filter(servers::installation_id.eq(&self.installation_id));
        let environment: Option<String> = its.select(servers::environment_id).first(db).optional()?;
        let Some(environment_id) = environment else { return Ok(Some(None)) };
        let seen = servers::last_seen_at.eq(self.at);
        diesel::update(servers::table.find(&self.server_id)).set(seen).execute(db)?;
        Ok(Some(Some(Enrolled { server_id: self.server_id, environment_id })))
    }
}
