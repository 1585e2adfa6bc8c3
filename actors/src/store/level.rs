//! The version of the tables, compared with this program.

use std::error::Error;
use std::path::Path;

use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::StoreError;

/// What a database is for, which decides its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tables {
    /// Threads, and what else a server keeps.
    Threads,
    /// Accounts, servers and devices of a relay.
    Relay,
}

const THREADS: EmbeddedMigrations = embed_migrations!("migrations");
const RELAY: EmbeddedMigrations = embed_migrations!("relay-migrations");

impl Tables {
    /// What this program does to the tables, one after another.
    pub(super) fn migrations(self) -> EmbeddedMigrations {
        match self {
            Self::Threads => THREADS,
            Self::Relay => RELAY,
        }
    }
}

/// Why the version cannot be read or changed.
pub(super) type Failed = Box<dyn Error + Send + Sync>;

/// The version of tables.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// There are no tables yet.
    Empty,
    /// They lack migrations, of which this is the first.
    Older(String),
    /// They are as this program wants them.
    Current,
    /// A newer program has changed them.
    Newer,
}

/// # Errors
/// The tables cannot be read.
pub(super) fn level(connection: &mut SqliteConnection, tables: Tables) -> Result<Level, Failed> {
    let ours: Vec<Box<dyn Migration<Sqlite>>> = tables.migrations().migrations()?;
    let applied = connection.applied_migrations()?;
    let is_ours = |version: &MigrationVersion<'_>| ours.iter().any(|it| it.name().version() == *version);
    if !applied.iter().all(is_ours) {
        return Ok(Level::Newer);
    }
    if applied.is_empty() {
        return Ok(Level::Empty);
    }
    let missing = ours.iter().map(|it| it.name().version()).find(|version| !applied.contains(version));
    Ok(missing.map_or(Level::Current, |version| Level::Older(version.to_string())))
}

/// # Errors
/// A newer program has changed the tables.
pub(super) fn must_be_known(connection: &mut SqliteConnection, path: &Path, tables: Tables) -> Result<(), StoreError> {
    match level(connection, tables).map_err(|error| StoreError::of(path, error.as_ref()))? {
        Level::Newer => Err(StoreError::Newer(path.into())),
        Level::Empty | Level::Older(_) | Level::Current => Ok(()),
    }
}
