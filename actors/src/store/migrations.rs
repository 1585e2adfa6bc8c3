//! Brings the tables to the version of this program. What was there before is kept as a copy.

use std::path::Path;

use diesel::sqlite::SqliteConnection;
use diesel_migrations::MigrationHarness;

use super::StoreError;
use super::backup::copy_before;
use super::copies::BEFORE;
use super::level::{Failed, Level, Tables, level, must_be_known};
use super::sqlite::beside;

/// Migrates the tables in one transaction. A file that cannot be written is opened by SQLite for reading only.
///
/// # Errors
/// A newer program has changed the tables, or no copy of older ones could be kept: then they are as they were.
pub(super) fn migrate(connection: &mut SqliteConnection, path: &Path, tables: Tables) -> Result<(), StoreError> {
    let about = |error: Failed| StoreError::of(path, error.as_ref());
    match level(connection, tables).map_err(about)? {
        Level::Newer => return Err(StoreError::Newer(path.into())),
        Level::Older(first) => {
            let copy = beside(path, &format!("{BEFORE}{first}"));
            log::info!("the tables are brought up to date; what was there is kept as {}", copy.display());
            copy_before(path, &copy)?;
        }
        Level::Empty | Level::Current => {}
    }
    // Also where nothing is to be done: a database that another program keeps locked is found now, and not at the first
    // change.
    let migrated = connection.immediate_transaction(|connection| -> Result<(), Failed> {
        // Another program may have been faster, and a newer one.
        if level(connection, tables)? != Level::Newer {
            connection.run_pending_migrations(tables.migrations())?;
        }
        Ok(())
    });
    migrated.map_err(about)?;
    must_be_known(connection, path, tables)
}
