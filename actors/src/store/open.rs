//! Opens the database: private, durable, and migrated to the version of this program.

use std::fmt::Display;
use std::fs::{File, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use plain_file::Links;

use super::StoreError;
use super::level::Tables;
use super::migrations::migrate;
use super::sqlite::{BUSY_TIMEOUT, UNFINISHED, beside};

/// Bytes of the log that stay after it was written into the database, and for which room is reserved.
pub(super) const LOG_BYTES: u64 = 1024 * 1024;

/// How long the end of another program's start may go unnoticed.
const LOCK_RETRY: Duration = Duration::from_millis(5);

/// Opens the database of a server; as [`open_with`].
pub(super) fn open(path: &Path, busy_timeout: Duration) -> Result<SqliteConnection, StoreError> {
    open_with(path, busy_timeout, Tables::Threads)
}

/// Opens the file, creating it (mode 0600) if needed, and migrates its tables.
pub(super) fn open_with(path: &Path, busy_timeout: Duration, tables: Tables) -> Result<SqliteConnection, StoreError> {
    match path.metadata() {
        // This program never leaves one: what was in it is lost, unless it still is in the log.
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 && !has_content(&beside(path, "-wal")) => {
            let reason = format!("the file is empty, and its log {} is missing", beside(path, "-wal").display());
            return Err(StoreError::Damaged { path: path.into(), reason });
        }
        Ok(_) => {}
        Err(_) => create(path, tables)?,
    }
    make_private(path).map_err(|e| unusable(path, e))?;
    connect(path, busy_timeout, "FULL", tables)
}

/// A database that exists as long as its connection.
pub(super) fn in_memory(tables: Tables) -> Result<SqliteConnection, StoreError> {
    connect(Path::new(":memory:"), BUSY_TIMEOUT, "OFF", tables)
}

/// Creates the database under a temporary name and renames it when it is complete, so that a file with the final name
/// always contains tables, even after a power failure. One flush serves all steps. A lock separates two programs that
/// start at the same time. It is a file of our own, because everybody who can read a directory can lock it.
///
/// The flush must come before the rename: closing a file that SQLite has open elsewhere in this process would release
/// SQLite's locks (POSIX advisory locks belong to the process).
fn create(path: &Path, tables: Tables) -> Result<(), StoreError> {
    let directory = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let place = beside(path, ".creating");
    let lock = plain_file::open_or_create(&place, Links::Refuse, 0o600).map_err(|e| unusable(path, e))?;
    lock_in_time(&lock, path)?;
    if path.exists() {
        return Ok(());
    }
    if beside(path, UNFINISHED).exists() {
        return Err(StoreError::Unfinished(path.into()));
    }
    let draft = beside(path, ".new");
    // A remnant of a start that was killed, or the log of a database that was moved away, which SQLite would take for
    // ours.
    for file in ["-wal", "-shm", "-journal", ".new", ".new-wal", ".new-shm", ".new-journal"] {
        match std::fs::remove_file(beside(path, file)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(unusable(path, e)),
            _ => {}
        }
    }
    // SQLite gives the same mode to `-wal` and `-shm`.
    plain_file::open_to_write(&draft, Links::Refuse, 0o600).map_err(|e| unusable(path, e))?;
    drop(connect(&draft, BUSY_TIMEOUT, "OFF", tables)?);
    plain_file::open(&draft, Links::Refuse)
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(&draft, path))
        // The name is part of the directory; only this flush makes it survive a power failure.
        .and_then(|()| plain_file::open_directory(directory)?.sync_all())
        .map_err(|e| unusable(path, e))?;
    // Whoever waits for it finds the database, and needs it no more.
    let _ = std::fs::remove_file(place);
    Ok(())
}

fn lock_in_time(lock: &File, path: &Path) -> Result<(), StoreError> {
    let started = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(unusable(path, error)),
            Err(TryLockError::WouldBlock) if started.elapsed() >= BUSY_TIMEOUT => {
                return Err(StoreError::Locked(path.into()));
            }
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_RETRY),
        }
    }
}

fn has_content(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.len() > 0)
}

fn connect(
    path: &Path,
    busy_timeout: Duration,
    synchronous: &str,
    tables: Tables,
) -> Result<SqliteConnection, StoreError> {
    let name = path.to_str().ok_or_else(|| unusable(path, "the path is not valid UTF-8"))?;
    let mut connection = SqliteConnection::establish(name).map_err(|e| StoreError::of(path, &e))?;
    // The timeout comes first, because every other step may need a lock. In WAL mode only FULL makes a commit survive a
    // power failure (law 10). Temporary data stays in memory, because the directories for temporary files can be full
    // or read-only while the database is fine.
    let settings = format!(
        "PRAGMA busy_timeout = {}; PRAGMA synchronous = {synchronous}; PRAGMA journal_mode = WAL; \
         PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = {LOG_BYTES}",
        busy_timeout.as_millis()
    );
    connection.batch_execute(&settings).map_err(|e| StoreError::of(path, &e))?;
    migrate(&mut connection, path, tables)?;
    Ok(connection)
}

/// Other users must not read conversations, even if the file was restored from a backup.
fn make_private(path: &Path) -> std::io::Result<()> {
    let metadata = path.metadata()?;
    if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn unusable(path: &Path, reason: impl Display) -> StoreError {
    StoreError::Unusable { path: path.into(), reason: reason.to_string() }
}
