//! The id of this installation: `installation_id` in `$CODEX_HOME`, shared with the reference program.

use std::io::{self, Read, Seek, Write};
use std::path::Path;

use plain_file::Links;
use uuid::Uuid;

/// Bytes to read: a UUID and some white space.
const LONGEST_ID: u64 = 256;

/// Returns the id. If there is no valid one, a new one is created and stored.
///
/// The file is written in place, unlike our own files: the reference program locks this very file, and a new file under
/// its name would not be locked. A half-written id is not a UUID and is replaced.
///
/// # Errors
/// The file cannot be read or written.
pub fn installation_id(codex_home: &Path) -> io::Result<Uuid> {
    let path = codex_home.join("installation_id");
    let mut file = plain_file::open_or_create(&path, Links::Follow, 0o600)?;
    // Two servers that start at the same time must agree on the id. The lock is released when the file is closed.
    file.lock()?;
    let mut text = Vec::new();
    (&file).take(LONGEST_ID).read_to_end(&mut text)?;
    if let Some(id) = std::str::from_utf8(&text).ok().and_then(|text| Uuid::parse_str(text.trim()).ok()) {
        return Ok(id);
    }
    let id = Uuid::new_v4();
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(id.to_string().as_bytes())?;
    file.sync_all()?;
    // The name of a new file is part of its directory, which must be flushed too.
    plain_file::open_directory(codex_home)?.sync_all()?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_made_once_and_only_for_its_owner() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("installation_id");
        let id = installation_id(home.path()).unwrap();
        assert_eq!(id.get_version_num(), 4);
        assert_eq!(fs::read_to_string(&path).unwrap(), id.to_string());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(installation_id(home.path()).unwrap(), id);
    }

    #[test]
    fn a_foreign_spelling_is_kept_and_garbage_replaced() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("installation_id");
        fs::write(&path, " 4DCC4CAA-0478-4726-ad5b-de278d2940ae\n").unwrap();
        assert_eq!(installation_id(home.path()).unwrap().to_string(), "4dcc4caa-0478-4726-ad5b-de278d2940ae");
        assert!(fs::read_to_string(&path).unwrap().starts_with(" 4DCC"));
        fs::write(&path, "garbage that is longer than an id would be, by some characters").unwrap();
        let id = installation_id(home.path()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), id.to_string());
    }
}
