//! Backups of the database: one file that holds everything, and the way back.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, RunQueryDsl};
use plain_file::Links;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::StoreError;
use super::check::{check, intact};
use super::sqlite::{BUSY_TIMEOUT, FILES, UNFINISHED, beside, uri};

/// Behind the name of a file that a backup is about to become; the number of its process follows.
const DRAFT: &str = ".partial-";

/// Bytes that are copied at one go.
const CHUNK: usize = 1024 * 1024;

/// Why there is no backup, or why it was not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to back up.
    #[error("there is no thread database at {}; the first server makes it", .0.display())]
    NoDatabase(PathBuf),
    /// A backup never takes the place of another file.
    #[error("{} exists already; name a file that does not, or remove it first", .0.display())]
    Exists(PathBuf),
    /// A server works with the database.
    #[error("a server is using the thread database {}; end it first", .0.display())]
    InUse(PathBuf),
    /// The file to restore is not a database of this program.
    #[error("{} is not a backup of a thread database: {reason}", path.display())]
    NoBackup {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system refused.
    #[error("{}: {error}", path.display())]
    Io {
        /// Path of the file or directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

fn about(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    move |error| BackupError::Io { path: path.to_owned(), error }
}

/// Copies the database at `path` to the new file `file`, which its owner alone can read. Servers may go on writing: the
/// copy holds what was committed when it began.
///
/// # Errors
/// There is no database, it cannot be read, or the file exists or cannot be written.
pub fn backup(path: &Path, file: &Path) -> Result<(), BackupError> {
    if !path.exists() {
        return Err(BackupError::NoDatabase(path.to_owned()));
    }
    if file.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    copy_to(path, file)
}

/// Keeps the database at `path` as `file` before it is changed for good. A copy that an attempt before this one has left is
/// replaced, because the database is the newer one of the two.
///
/// # Errors
/// There is no room, or the files cannot be read or written.
pub(super) fn copy_before(path: &Path, file: &Path) -> Result<(), StoreError> {
    copy_to(path, file).map_err(|error| StoreError::NotKept { path: path.to_owned(), reason: error.to_string() })
}

fn copy_to(path: &Path, file: &Path) -> Result<(), BackupError> {
    remove_abandoned(file);
    // Another backup to the same file may run.
    let draft = new_draft(file, &format!("{DRAFT}{}", std::process::id()))?;
    // For as long as this process lives, whatever its number means to others.
    let held = plain_file::open(&draft, Links::Refuse).map_err(about(&draft))?;
    flock(&held, FlockOperation::NonBlockingLockExclusive).map_err(|error| about(&draft)(error.into()))?;
    let copied = copy_database(path, &draft).and_then(|()| put(&draft, file));
    if copied.is_err() {
        let _ = fs::remove_file(&draft);
    }
    copied
}

/// Removes what backups to `file` have left that were killed.
fn remove_abandoned(file: &Path) {
    for (draft, _) in numbered(file, DRAFT) {
        let Ok(held) = plain_file::open(&draft, Links::Refuse) else { continue };
        if flock(&held, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = fs::remove_file(&draft);
        }
    }
}

/// The plain files beside `path` whose names are its own with `suffix` and a number behind it, with this number. In order.
pub(super) fn numbered(path: &Path, suffix: &str) -> Vec<(PathBuf, u64)> {
    let directory = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let number = |other: &str| other.strip_prefix(name)?.strip_prefix(suffix)?.parse::<u64>().ok();
    let mut found: Vec<_> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| Some((entry.path(), number(entry.file_name().to_str()?)?)))
        .collect();
    found.sort_by_key(|(_, number)| *number);
    found
}

fn copy_database(path: &Path, draft: &Path) -> Result<(), BackupError> {
    let of = |error: &(dyn std::error::Error + 'static)| StoreError::of(path, error);
    let name = draft.to_str().ok_or_else(|| about(draft)(io::Error::other("the path is not valid UTF-8")))?;
    let mut connection = SqliteConnection::establish(&uri(path, "mode=ro")?).map_err(|e| of(&e))?;
    let settings = format!("PRAGMA busy_timeout = {}; PRAGMA temp_store = MEMORY", BUSY_TIMEOUT.as_millis());
    connection.batch_execute(&settings).map_err(|e| of(&e))?;
    diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(name).execute(&mut connection).map_err(|e| of(&e))?;
    intact(draft)?;
    Ok(())
}

/// Puts the backup `file` in the place of the database at `path`. Returns where the old one is now, if there was one.
///
/// # Errors
/// A server uses the database, the file is not a backup, or something cannot be written; then everything is as it was.
pub fn restore(file: &Path, path: &Path) -> Result<Option<PathBuf>, BackupError> {
    check_backup(file)?;
    let _alone = lock_out_servers(path)?;
    let draft = new_draft(path, UNFINISHED)?;
    copy_file(file, &draft).map_err(about(&draft))?;
    let aside = put_aside(path)?;
    put(&draft, path)?;
    Ok(aside)
}

/// Keeps every server from the database at `path` until the file is closed.
///
/// # Errors
/// A server uses it.
fn lock_out_servers(path: &Path) -> Result<fs::File, BackupError> {
    let place = beside(path, ".lock");
    let lock = plain_file::open_or_create(&place, Links::Follow, 0o600).map_err(about(&place))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(Errno::WOULDBLOCK) => Err(BackupError::InUse(path.to_owned())),
        Err(error) => Err(about(&place)(error.into())),
    }
}

fn check_backup(file: &Path) -> Result<(), BackupError> {
    let no_backup = |reason: String| BackupError::NoBackup { path: file.to_owned(), reason };
    plain_file::open(file, Links::Follow).map_err(about(file))?;
    // Nothing is written beside a backup.
    let connection = SqliteConnection::establish(&uri(file, "mode=ro&immutable=1")?);
    let mut connection = connection.map_err(|e| no_backup(e.to_string()))?;
    let looked =
        connection.batch_execute("SELECT id FROM threads LIMIT 1; SELECT version FROM __diesel_schema_migrations");
    looked.map_err(|e| no_backup(e.to_string()))?;
    drop(connection);
    check(file).map_err(|e| no_backup(e.to_string()))
}

/// What [`repair`] has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repaired {
    /// Nothing was wrong, and nothing was changed.
    Intact,
    /// A repair or restore that was killed before its last step was brought to its end.
    Finished,
    /// The indexes were built anew from the tables. The database before that is kept here.
    Indexes(PathBuf),
}

/// Builds anew what can be built from the rest of the database at `path`: its indexes. The files are kept as they were.
///
/// # Errors
/// There is no database, a server uses it, or more than its indexes is damaged; then everything is as it was.
pub fn repair(path: &Path) -> Result<Repaired, BackupError> {
    let draft = beside(path, UNFINISHED);
    if !path.exists() && !draft.exists() {
        return Err(BackupError::NoDatabase(path.to_owned()));
    }
    let _alone = lock_out_servers(path)?;
    if !path.exists() {
        // An earlier repair or restore was killed before its last step.
        intact(&draft)?;
        put(&draft, path)?;
        return Ok(Repaired::Finished);
    }
    if check(path).is_ok() {
        return Ok(Repaired::Intact);
    }
    // A copy is repaired, and takes the place of the database only if that has helped.
    let draft = new_draft(path, UNFINISHED)?;
    let mended =
        FILES[..2].iter().try_for_each(|suffix| match copy_file(&beside(path, suffix), &beside(&draft, suffix)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            copied => copied.map_err(about(&beside(path, suffix))),
        });
    let mended = mended.and_then(|()| Ok(reindex(&draft)?));
    for suffix in &FILES[1..] {
        // Closing it has written everything into the one file.
        let _ = fs::remove_file(beside(&draft, suffix));
    }
    if mended.is_err() {
        let _ = fs::remove_file(&draft);
    }
    mended?;
    let aside = put_aside(path)?;
    put(&draft, path)?;
    Ok(Repaired::Indexes(aside.unwrap_or_else(|| path.to_owned())))
}

fn reindex(path: &Path) -> Result<(), StoreError> {
    let of = |error: &(dyn std::error::Error + 'static)| StoreError::of(path, error);
    let mut connection = SqliteConnection::establish(&uri(path, "mode=rw")?).map_err(|e| of(&e))?;
    let done = connection.batch_execute("PRAGMA temp_store = MEMORY; REINDEX; PRAGMA wal_checkpoint(TRUNCATE)");
    done.map_err(|e| of(&e))?;
    drop(connection);
    check(path)
}

/// An empty file of our own beside `file`, with `suffix` behind its name.
fn new_draft(file: &Path, suffix: &str) -> Result<PathBuf, BackupError> {
    let draft = beside(file, suffix);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(about(&draft)(error)),
        _ => {}
    }
    plain_file::open_to_write(&draft, Links::Refuse, 0o600).map_err(about(&draft))?;
    Ok(draft)
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let (from, mut to) = (plain_file::open(from, Links::Follow)?, plain_file::open_to_write(to, Links::Refuse, 0o600)?);
    let mut reader = io::BufReader::with_capacity(CHUNK, from);
    io::copy(&mut reader, &mut to)?;
    to.flush()
}

/// Renames the files at `path`, so that they can be opened as a database under their new name.
fn put_aside(path: &Path) -> Result<Option<PathBuf>, BackupError> {
    let name = |number: u32| beside(path, &format!(".replaced-{number}"));
    let free = |aside: &PathBuf| FILES.iter().all(|suffix| beside(aside, suffix).symlink_metadata().is_err());
    let aside = (1..).map(name).find(free).unwrap_or_else(|| name(0));
    let mut moved = false;
    for suffix in FILES {
        match fs::rename(beside(path, suffix), beside(&aside, suffix)) {
            Ok(()) => moved = true,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(about(&beside(path, suffix))(error)),
        }
    }
    Ok(moved.then_some(aside))
}

/// Gives the finished `draft` its name, and brings both to disk.
fn put(draft: &Path, file: &Path) -> Result<(), BackupError> {
    let directory = file.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    plain_file::open(draft, Links::Refuse)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(draft, file))
        .and_then(|()| plain_file::open_directory(directory)?.sync_all())
        .map_err(about(file))
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::*;

    #[test]
    fn a_backup_is_restored_and_the_old_database_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let (database, file) = (path("app-server.sqlite"), path("backup"));
        assert!(matches!(backup(&database, &file), Err(BackupError::NoDatabase(_))));
        let mut connection = open::open(&database, BUSY_TIMEOUT).unwrap();
        connection.batch_execute("CREATE TABLE mark (x); INSERT INTO mark VALUES (1)").unwrap();
        backup(&database, &file).unwrap();
        assert!(matches!(backup(&database, &file), Err(BackupError::Exists(_))));
        drop(connection);

        // Of a backup that was killed, and of one that runs.
        let (abandoned, running) = (path("second.partial-1"), path("second.partial-2"));
        fs::write(&abandoned, "half").unwrap();
        fs::write(&running, "half").unwrap();
        let held = fs::File::options().read(true).open(&running).unwrap();
        flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
        backup(&database, &path("second")).unwrap();
        assert!(!abandoned.exists() && running.exists() && path("second").exists());

        fs::write(&database, "damaged").unwrap();
        fs::write(path("no-backup"), "damaged too").unwrap();
        assert!(matches!(restore(&path("no-backup"), &database), Err(BackupError::NoBackup { .. })));
        assert_eq!(fs::read_to_string(&database).unwrap(), "damaged");
        let aside = restore(&file, &database).unwrap();
        assert_eq!(aside, Some(path("app-server.sqlite.replaced-1")));
        assert_eq!(fs::read_to_string(path("app-server.sqlite.replaced-1")).unwrap(), "damaged");
        let mut connection = open::open(&database, BUSY_TIMEOUT).unwrap();
        connection.batch_execute("INSERT INTO mark VALUES (2)").unwrap();
    }
}
