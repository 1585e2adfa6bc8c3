//! Checks a database without changing it.

use std::path::Path;

use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl};

use super::StoreError;
use super::level::{Tables, must_be_known};
use super::sqlite::{UNFINISHED, beside, uri};

/// A row of SQLite's integrity check: `ok` or a fault.
#[derive(QueryableByName)]
struct Verdict {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// Reads the whole database at `path` and checks that it is intact, with its indexes, and of a version that this program
/// knows. A server may have it open.
///
/// # Errors
/// The database is damaged, cannot be read, or was changed by a newer program.
pub fn check(path: &Path) -> Result<(), StoreError> {
    if is_unfinished(path) {
        return Err(StoreError::Unfinished(path.to_owned()));
    }
    must_be_known(&mut intact(path)?, path, Tables::Threads)
}

/// Whether the database at `path` is missing because a repair or restore was killed before its last step.
pub fn is_unfinished(path: &Path) -> bool {
    !path.exists() && beside(path, UNFINISHED).exists()
}

/// Checks that the database at `path`, if there is one, is of a version that this program knows. It may be in use.
///
/// # Errors
/// It cannot be read, or was changed by a newer program.
pub fn known(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    let mut connection = SqliteConnection::establish(&uri(path, "mode=ro")?).map_err(|e| StoreError::of(path, &e))?;
    must_be_known(&mut connection, path, Tables::Threads)
}

/// Checks that the database at `path` is intact, whatever is in it.
///
/// # Errors
/// The database is damaged or cannot be read.
pub(super) fn intact(path: &Path) -> Result<SqliteConnection, StoreError> {
    let mut connection = SqliteConnection::establish(&uri(path, "mode=ro")?).map_err(|e| StoreError::of(path, &e))?;
    let verdict: Verdict = diesel::sql_query("PRAGMA integrity_check(1)")
        .get_result(&mut connection)
        .map_err(|e| StoreError::of(path, &e))?;
    match verdict.integrity_check.as_str() {
        "ok" => Ok(connection),
        reason => Err(StoreError::Damaged { path: path.to_owned(), reason: reason.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::super::sqlite::BUSY_TIMEOUT;
    use super::*;

    #[test]
    fn an_intact_database_is_told_from_a_damaged_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("odd?name#.sqlite");
        let open_elsewhere = open::open(&path, BUSY_TIMEOUT).unwrap();
        check(&path).unwrap();
        drop(open_elsewhere);

        let mut bytes = std::fs::read(&path).unwrap();
        for byte in &mut bytes[5_000..9_000] {
            *byte ^= 0xff;
        }
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(check(&path), Err(StoreError::Damaged { .. })));
        assert!(check(&dir.path().join("missing")).is_err());
    }
}
