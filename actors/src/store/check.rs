//! Checks a database without changing it.

use std::path::Path;

use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl};

use super::StoreError;

/// A row of SQLite's integrity check: `ok` or a fault.
#[derive(QueryableByName)]
struct Verdict {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

/// Reads the whole database at `path` and checks that it is intact. A server may have it open.
///
/// # Errors
/// The database is damaged or cannot be read.
pub fn check(path: &Path) -> Result<(), StoreError> {
    let mut connection = SqliteConnection::establish(&uri(path, "mode=ro")?).map_err(|e| StoreError::of(path, &e))?;
    let verdict: Verdict =
        diesel::sql_query("PRAGMA quick_check(1)").get_result(&mut connection).map_err(|e| StoreError::of(path, &e))?;
    match verdict.quick_check.as_str() {
        "ok" => Ok(()),
        reason => Err(StoreError::Damaged { path: path.to_owned(), reason: reason.to_owned() }),
    }
}

/// The name by which SQLite opens `path` with these parameters.
pub(super) fn uri(path: &Path, parameters: &str) -> Result<String, StoreError> {
    let name = path.to_str().ok_or_else(|| StoreError::Unusable {
        path: path.to_owned(),
        reason: "the path is not valid UTF-8".to_owned(),
    })?;
    let escaped = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Ok(format!("file:{escaped}?{parameters}"))
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::*;

    #[test]
    fn an_intact_database_is_told_from_a_damaged_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("odd?name#.sqlite");
        let open_elsewhere = open::open(&path, open::BUSY_TIMEOUT).unwrap();
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
