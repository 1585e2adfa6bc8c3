//! Opening the database: private, durable, at the version of this program.

use std::error::Error;
use std::fs::{File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::StoreError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// How long a question waits for another program that writes to the same file.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the file, creating it (0600) if need be, and brings its tables up to date.
pub(super) fn open(path: &Path, busy_timeout: Duration) -> Result<SqliteConnection, StoreError> {
    let fresh = create_private(path).map_err(|e| StoreError::Unusable { path: path.into(), reason: e.to_string() })?;
    let name = path
        .to_str()
        .ok_or_else(|| StoreError::Unusable { path: path.into(), reason: "the path is not valid UTF-8".into() })?;
    let connection = prepare(name, busy_timeout, fresh, path)?;
    if fresh {
        // `prepare` left this to us: one flush instead of one for every step.
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(|e| StoreError::Unusable { path: path.into(), reason: e.to_string() })?;
    }
    Ok(connection)
}

/// A database that lives as long as its connection.
pub(super) fn in_memory() -> Result<SqliteConnection, StoreError> {
    prepare(":memory:", BUSY_TIMEOUT, true, Path::new(":memory:"))
}

fn prepare(name: &str, busy_timeout: Duration, fresh: bool, path: &Path) -> Result<SqliteConnection, StoreError> {
    let mut connection = SqliteConnection::establish(name).map_err(|e| StoreError::of(path, &e))?;
    let step = |connection: &mut SqliteConnection, sql: &str| {
        connection.batch_execute(sql).map_err(|e| StoreError::of(path, &e))
    };
    // The timeout comes first, because every other step may need a lock.
    step(&mut connection, &format!("PRAGMA busy_timeout = {}", busy_timeout.as_millis()))?;
    if fresh {
        step(&mut connection, "PRAGMA synchronous = OFF")?;
    }
    migrate(&mut connection, path)?;
    // FULL: in WAL mode, only this makes a commit survive a power cut (law 10).
    step(&mut connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")?;
    Ok(connection)
}

/// Creates the file with mode 0600, which SQLite then gives to the files beside it, and says whether it did. An
/// existing file that others may read is made private.
fn create_private(path: &Path) -> std::io::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            let metadata = path.metadata()?;
            if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
                std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
            }
            Ok(false)
        }
        Err(e) => Err(e),
    }
}

/// Brings the tables up to date in one transaction, which also keeps two programs that start at once apart, and finds
/// out early whether the file can be written.
fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let newer = connection
        .immediate_transaction(|connection| -> Result<bool, Box<dyn Error + Send + Sync>> {
            let ours: Vec<Box<dyn Migration<Sqlite>>> = MIGRATIONS.migrations()?;
            let is_ours = |version| ours.iter().any(|migration| migration.name().version() == version);
            if !connection.applied_migrations()?.into_iter().all(is_ours) {
                return Ok(true);
            }
            connection.run_pending_migrations(MIGRATIONS)?;
            Ok(false)
        })
        .map_err(|e| StoreError::of(path, e.as_ref()))?;
    if newer { Err(StoreError::Newer(path.into())) } else { Ok(()) }
}
