//! Accounts: who may bring servers.

use std::collections::HashSet;

use diesel::prelude::*;

use super::schema::{account_tokens, accounts, pairings, servers};
use crate::store::Question;

/// Adds a token to the account `name`, which is created if it does not exist.
pub struct AddToken {
    /// Name of the account.
    pub name: String,
    /// Its id, if it does not exist yet.
    pub new_id: String,
    /// Makes the digest of a token for the account with the given id.
    pub digest: Box<dyn FnOnce(&str) -> String + Send>,
    /// Unix seconds.
    pub at: i64,
}

impl Question for AddToken {
    type Answer = ();
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<()> {
        let found = accounts::table.filter(accounts::name.eq(&self.name)).select(accounts::id).first(db).optional()?;
        let id: String = match found {
            Some(id) => id,
            None => {
                let row =
                    (accounts::id.eq(&self.new_id), accounts::name.eq(&self.name), accounts::created_at.eq(self.at));
                diesel::insert_into(accounts::table).values(row).execute(db)?;
                self.new_id
            }
        };
        let digest = (self.digest)(&id);
        let row = (
            account_tokens::digest.eq(digest),
            account_tokens::account_id.eq(id),
            account_tokens::created_at.eq(self.at),
        );
        diesel::insert_into(account_tokens::table).values(row).execute(db).map(drop)
    }
}

/// Lists the accounts by name.
pub struct ListAccounts;

/// An account, as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Its name.
    pub name: String,
    /// How many tokens it has.
    pub tokens: i64,
    /// How many servers have enrolled with them.
    pub servers: i64,
    /// Unix seconds.
    pub created_at: i64,
}

impl Question for ListAccounts {
    type Answer = Vec<AccountRow>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let rows: Vec<(String, String, i64)> = accounts::table.order(accounts::name).load(db)?;
        let with_numbers = |(id, name, created_at): (String, String, i64)| {
            let tokens = account_tokens::table.filter(account_tokens::account_id.eq(&id)).count().get_result(db)?;
            let servers = servers::table.filter(servers::account_id.eq(&id)).count().get_result(db)?;
            Ok(AccountRow { name, tokens, servers, created_at })
        };
        rows.into_iter().map(with_numbers).collect()
    }
}

/// Removes an account with its tokens, servers and pairings. Answers whether there was one.
pub struct RemoveAccount {
    /// Name of the account.
    pub name: String,
}

impl Question for RemoveAccount {
    type Answer = bool;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        Ok(diesel::delete(accounts::table.filter(accounts::name.eq(self.name))).execute(db)? > 0)
    }
}

/// Asks which servers and pairings exist, if another process has changed the database since `version`.
pub struct Survey {
    /// What the last answer said; 0 at first.
    pub version: i64,
}

/// The answer to [`Survey`].
pub struct Surveyed {
    /// For the next survey.
    pub version: i64,
    /// Ids of all servers and controllers; `None` if nothing has changed.
    pub existing: Option<(HashSet<String>, HashSet<String>)>,
}

#[derive(QueryableByName)]
struct DataVersion {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    data_version: i64,
}

impl Question for Survey {
    type Answer = Surveyed;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Surveyed> {
        let DataVersion { data_version } = diesel::sql_query("PRAGMA data_version").get_result(db)?;
        if data_version == self.version {
            return Ok(Surveyed { version: data_version, existing: None });
        }
        let servers: Vec<String> = servers::table.select(servers::id).load(db)?;
        let clients: Vec<String> = pairings::table.select(pairings::client_id).load(db)?;
        let existing = Some((servers.into_iter().collect(), clients.into_iter().collect()));
        Ok(Surveyed { version: data_version, existing })
    }
}
