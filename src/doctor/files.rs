//! Checks of the files in `$CODEX_HOME`.

use std::{
    fs::{self, TryLockError},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use app_server_actors::{
    catalog::Catalog,
    store::{self, StoreError},
};
use plain_file::Links;
use rustix::process::geteuid;

use super::Finding;
use crate::{codex_home, listen::startup_lock, neighbours, server};

/// Mode bits that grant access to others than the owner.
const OTHERS: u32 = 0o077;

/// Bytes that should be free on a disk.
const LITTLE_SPACE: u64 = 64 * 1024 * 1024;

/// Mode bits that let others than the owner write.
const OTHERS_WRITE: u32 = 0o022;

pub(super) fn home(path: &Path) -> Finding {
    let shown = path.display();
    if let Some(obstacle) = codex_home::obstacle(path) {
        return Finding::error("home", obstacle.to_string(), "No server starts before that.");
    }
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Finding::ok("home", format!("{shown} does not exist yet; it is created at the first start"))
        }
        Err(error) => Finding::error("home", format!("{shown}: {error}"), "Make it readable, or set CODEX_HOME."),
        Ok(metadata) if metadata.uid() != geteuid().as_raw() => {
            let text = format!("{shown} belongs to the user with id {}", metadata.uid());
            Finding::warning("home", text, "Set CODEX_HOME to a directory of your own.")
        }
        Ok(metadata) if metadata.mode() & OTHERS_WRITE != 0 => {
            let advice = format!("Keep others out: chmod go-w {shown}");
            Finding::warning("home", format!("{shown} can be changed by other users"), advice)
        }
        Ok(_) => Finding::ok("home", shown.to_string()),
    }
}

pub(super) fn config(home: &Path, overrides: &[String]) -> Finding {
    let checked = server::sources(home, overrides)
        .map_err(|error| error.to_string())
        .and_then(|sources| Catalog::check_strict(&sources));
    match checked {
        Ok(()) => Finding::ok("config", "config.toml has no faults"),
        Err(fault) => Finding::warning("config", fault.trim(), "Correct config.toml; invalid parts are ignored."),
    }
}

/// Whether there is a sign-in, and whether others can read it. The content is not checked.
pub(super) fn auth(home: &Path) -> Finding {
    let path = home.join("auth.json");
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Finding::ok("auth", "not signed in; only the models of OpenAI need it")
        }
        Err(error) => Finding::error("auth", format!("{}: {error}", path.display()), "Make it readable for you."),
        Ok(metadata) if metadata.mode() & OTHERS != 0 => {
            let advice = format!("Keep others out: chmod 600 {}", path.display());
            Finding::warning("auth", format!("other users can read {}", path.display()), advice)
        }
        Ok(_) => Finding::ok("auth", "signed in"),
    }
}

pub(super) fn database(home: &Path) -> Finding {
    let path = home.join(server::STORE_FILE);
    if !path.exists() && !store::is_unfinished(&path) {
        return Finding::ok("database", "there is none yet; it is created at the first start");
    }
    match store::check(&path) {
        Ok(()) => Finding::ok("database", format!("{} is intact", path.display())),
        Err(error) => {
            let advice = match error {
                StoreError::Damaged { .. } => {
                    "End every server, and try `codex-app-server doctor --repair`, which keeps the files as they were."
                }
                StoreError::Newer(_) => "Start the newer version of this program again.",
                _ => {
                    "End the server before you touch the file, or app-server.sqlite-wal and app-server.sqlite-shm beside it."
                }
            };
            Finding::error("database", error.to_string(), advice)
        }
    }
}

/// The copies of the database from before changes of its tables, if there are any.
pub(super) fn copies(home: &Path) -> Option<Finding> {
    let copies = store::copies(&home.join(server::STORE_FILE));
    let named = copies.iter().map(|(copy, bytes)| format!("{} ({} KiB)", copy.display(), bytes.div_ceil(1024)));
    let named: Vec<String> = named.collect();
    let text = format!("kept from before the tables were changed: {}", named.join(", "));
    (!named.is_empty()).then(|| Finding::ok("copies", text))
}

/// Whether there is room for what a server and its commands write.
pub(super) fn space(home: &Path) -> Finding {
    let temporary = std::env::temp_dir();
    for (what, directory) in [("CODEX_HOME", home), ("temporary files", temporary.as_path())] {
        // It may not exist yet; then it will be made on the disk of the directory above.
        let Some(free) = directory.ancestors().find_map(free_bytes) else { continue };
        if free < LITTLE_SPACE {
            let text = format!("only {} MiB are free for {what} in {}", free / (1024 * 1024), directory.display());
            let advice = "Make room on that disk: changes are refused when it is full.";
            return if free == 0 {
                Finding::error("disk", text, advice)
            } else {
                Finding::warning("disk", text, advice)
            };
        }
    }
    Finding::ok("disk", "there is room for CODEX_HOME and for temporary files")
}

fn free_bytes(directory: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(directory).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// Whether several servers share the threads.
pub(super) fn servers(home: &Path) -> Finding {
    let users = store::users(&home.join(server::STORE_FILE));
    if users.len() < 2 {
        return Finding::ok("servers", "no two servers share this CODEX_HOME");
    }
    let text = format!("{} servers share this CODEX_HOME and do not hear of each other's changes", users.len());
    Finding::warning("servers", format!("{text}: {}", neighbours::named(&users)), neighbours::ADVICE)
}

/// Whether a server is starting, or has been starting for too long.
pub(super) fn lock(home: &Path) -> Finding {
    let path = startup_lock(home);
    match plain_file::open(&path, Links::Follow).map(|file| file.try_lock()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Finding::ok("lock", "no server was ever started here"),
        Ok(Ok(())) => Finding::ok("lock", "no server is starting"),
        Ok(Err(TryLockError::WouldBlock)) => {
            let advice = "Wait for it. If it does not end, find the process that holds the file with `fuser` or `lsof`, and end it.";
            Finding::warning("lock", format!("a server is starting: {} is locked", path.display()), advice)
        }
        Ok(Err(TryLockError::Error(error))) | Err(error) => {
            Finding::error("lock", format!("{}: {error}", path.display()), "Make the file readable for you.")
        }
    }
}
