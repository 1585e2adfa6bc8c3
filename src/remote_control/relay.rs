//! `remote-control --relay`: which relay this machine uses, in its own settings.

use std::{
    error::Error,
    path::{Path, absolute},
};

use app_server_actors::{
    remote_control::BackendUrl,
    replace::{NewFile, replace},
};
use toml_edit::{DocumentMut, Item, Table, value};

use crate::{attach::CallError, settings::FILE_NAME};

/// Ends the use of a relay.
const OFF: &str = "off";

/// The section of the settings, and its keys.
const SECTION: &str = "remote_control";
const RELAY: &str = "relay";
const TOKEN_FILE: &str = "relay_token_file";
const PAGE: &str = "relay_page";

/// Largest settings file, in bytes.
const LARGEST_FILE: usize = 1024 * 1024;

/// Writes into app-server.toml that `relay` is used from now on, with the token in `token_file`; or with `off`, that none is.
/// The rest of the file stays as it is.
///
/// # Errors
/// The URL or the file is missing or wrong, or app-server.toml cannot be read or written.
pub fn use_relay(codex_home: &Path, relay: &str, token_file: Option<&Path>) -> Result<(), Box<dyn Error>> {
    if relay == OFF {
        return write(codex_home, &[(RELAY, None), (TOKEN_FILE, None), (PAGE, None)]);
    }
    BackendUrl::of_relay(relay).map_err(|error| CallError::Usage(error.to_string()))?;
    let missing =
        || CallError::Usage("--relay URL needs --token-file FILE, with what `relay token add` has printed".to_owned());
    let file = absolute(token_file.ok_or_else(missing)?)?;
    file.metadata().map_err(|error| format!("{}: {error}", file.display()))?;
    let file = file.to_str().ok_or("the path of the token file is not UTF-8")?;
    write(codex_home, &[(RELAY, Some(relay)), (TOKEN_FILE, Some(file)), (PAGE, None)])
}

fn write(codex_home: &Path, changes: &[(&str, Option<&str>)]) -> Result<(), Box<dyn Error>> {
    let path = codex_home.join(FILE_NAME);
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = match plain_file::read_to_string(&path, LARGEST_FILE) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.map_err(|error| failed(&error))?,
    };
    let mut document: DocumentMut = text.parse().map_err(|error| failed(&error))?;
    let section = document.entry(SECTION).or_insert_with(|| Item::Table(Table::new()));
    let section = section.as_table_like_mut().ok_or_else(|| failed(&"`remote_control` is not a table"))?;
    for (key, change) in changes {
        match change {
            Some(text) => drop(section.insert(key, value(*text))),
            None => drop(section.remove(key)),
        }
    }
    Ok(replace(&path, document.to_string().as_bytes(), NewFile::Ordinary).map_err(|error| failed(&error))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relay_is_written_beside_what_is_there_and_taken_out_again() {
        let home = tempfile::tempdir().unwrap();
        let (path, token) = (home.path().join(FILE_NAME), home.path().join("token"));
        std::fs::write(&path, "# mine\n[log]\njson = true\n").unwrap();
        std::fs::write(&token, "acc.secret").unwrap();
        use_relay(home.path(), "https://relay.example.com", Some(&token)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# mine\n[log]\njson = true\n"), "{text}");
        assert!(text.contains("relay = \"https://relay.example.com\"") && text.contains("/token\""), "{text}");
        assert!(!text.contains("acc.secret"), "{text}");
        use_relay(home.path(), OFF, None).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("example.com"));
    }

    #[test]
    fn what_cannot_be_a_relay_is_refused_and_nothing_is_written() {
        let home = tempfile::tempdir().unwrap();
        let token = home.path().join("token");
        for (relay, file) in [("http://relay.example.com", &token), ("https://relay.example.com", &token)] {
            assert!(use_relay(home.path(), relay, Some(file)).is_err(), "{relay}");
        }
        assert!(use_relay(home.path(), "https://relay.example.com", None).is_err());
        assert!(!home.path().join(FILE_NAME).exists());
    }
}
