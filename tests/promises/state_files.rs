//! The files of a server are readable by their owner only.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::json;

use crate::support::process::Launch;
use crate::support::server::Server;

#[test]
fn every_file_is_private_from_the_database_to_the_locks() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let started = client.call("thread/start", json!({}));
    client.call("thread/name/set", json!({"threadId": started["thread"]["id"], "name": "kept"}));
    let found = server.process.home().everything();
    for path in &found {
        let metadata = fs::symlink_metadata(path).expect("it was just there");
        // The mode of a link says nothing.
        if !metadata.is_symlink() {
            let private = if metadata.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(metadata.permissions().mode() & 0o777, private, "{}", path.display());
        }
        assert_eq!(metadata.uid(), rustix::process::geteuid().as_raw(), "{}", path.display());
    }
    for name in ["app-server.sqlite", "app-server.sqlite-wal", "app-server.sqlite-shm", "app-server-startup.lock"] {
        assert!(found.iter().any(|path| path.ends_with(name)), "no {name} in {found:?}");
    }
}
