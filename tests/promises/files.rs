//! Clients read, write and watch files through the server (`fs/*`).

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::eventually;
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::transports::{over_every_shared_transport, over_every_transport, over_every_transport_with};

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn path(dir: &TempDir, name: &str) -> Value {
    json!(dir.path().join(name))
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("a readable file")
}

#[test]
fn what_is_written_can_be_read_listed_copied_and_removed() {
    over_every_transport(|server| {
        let dir = directory();
        let at = |name: &str| path(&dir, name);
        let mut client = server.client();
        let done = json!({});
        assert_eq!(client.call("fs/createDirectory", json!({"path": at("d/sub")})), done);
        assert_eq!(client.call("fs/writeFile", json!({"path": at("d/file"), "dataBase64": "aGVsbG8="})), done);
        assert_eq!(text(dir.path().join("d/file")), "hello");
        assert_eq!(client.call("fs/readFile", json!({"path": at("d/file")})), json!({"dataBase64": "aGVsbG8="}));
        let metadata = client.call("fs/getMetadata", json!({"path": at("d/file")}));
        assert_eq!(metadata["isFile"], true);
        let entry = |name: &str, file: bool| json!({"fileName": name, "isDirectory": !file, "isFile": file});
        let listed = client.call("fs/readDirectory", json!({"path": at("d")}));
        assert_eq!(listed, json!({"entries": [entry("file", true), entry("sub", false)]}));
        let copied = json!({"sourcePath": at("d"), "destinationPath": at("e"), "recursive": true});
        assert_eq!(client.call("fs/copy", copied), done);
        assert_eq!(client.call("fs/remove", json!({"path": at("d")})), done);
        assert!(!dir.path().join("d").exists());
        assert_eq!(text(dir.path().join("e/file")), "hello");
    });
}

#[test]
fn every_refusal_says_which_path_and_why() {
    over_every_transport(|server| {
        let dir = directory();
        let mut client = server.client();
        let missing = path(&dir, "none");
        for (method, params) in [
            ("fs/readFile", json!({"path": missing})),
            ("fs/getMetadata", json!({"path": missing})),
            ("fs/readDirectory", json!({"path": missing})),
            ("fs/remove", json!({"path": missing, "force": false})),
            ("fs/copy", json!({"sourcePath": missing, "destinationPath": path(&dir, "x")})),
        ] {
            let error = client.refusal(method, params);
            let shown = missing.as_str().expect("a path");
            assert_eq!(error.message, format!("{shown}: No such file or directory (os error 2)"), "{method}");
            assert_eq!(error.code, -32603, "{method}");
        }
        for method in ["fs/readFile", "fs/getMetadata", "fs/readDirectory", "fs/remove", "fs/createDirectory"] {
            let error = client.refusal(method, json!({"path": "relative/file"}));
            assert_eq!(error.message, "Invalid request: `relative/file` is not an absolute path", "{method}");
            assert_eq!(error.code, -32602, "{method}");
        }
    });
}

#[test]
fn requests_sent_together_are_carried_out_in_their_order() {
    over_every_transport(|server| {
        let dir = directory();
        let mut client = server.client();
        let mut last = 0;
        for round in 0..30 {
            client.send_request("fs/createDirectory", json!({"path": path(&dir, &format!("{round}/sub"))}));
            let file = path(&dir, &format!("{round}/sub/file"));
            client.send_request("fs/writeFile", json!({"path": file, "dataBase64": "aGVsbG8="}));
            last = client.send_request("fs/readFile", json!({"path": file}));
        }
        let read = client.answer_to(last).expect("the file was written before it was read");
        assert_eq!(read["dataBase64"], "aGVsbG8=");
    });
}

#[test]
fn a_client_that_asks_for_more_than_it_reads_gets_everything_in_the_end() {
    let settings = &[("limits.outbound_bytes", "4_194_304"), ("limits.file_bytes", "2_097_152")];
    over_every_transport_with(settings, |server| {
        let dir = directory();
        let content = vec![b'x'; 1_500_000];
        fs::write(dir.path().join("large"), &content).expect("a file is written");
        let mut client = server.client();
        // Ten answers of two megabytes, although only four may be queued for a client.
        for _ in 0..10 {
            client.send_request("fs/readFile", json!({"path": path(&dir, "large")}));
        }
        for _ in 0..10 {
            let answer = client.next_answer();
            let data = answer["result"]["dataBase64"].as_str().unwrap_or_else(|| panic!("{answer}"));
            assert_eq!(data.len(), content.len().div_ceil(3) * 4);
        }
    });
}

#[test]
fn a_watch_tells_its_own_connection_and_ends_when_told_to() {
    over_every_shared_transport(|server| {
        let dir = directory();
        let (mut watcher, mut other) = (server.client(), server.client());
        let watched = json!({"watchId": "w", "path": dir.path()});
        assert_eq!(watcher.call("fs/watch", watched.clone()), json!({"path": dir.path()}));
        assert_eq!(watcher.refusal("fs/watch", watched.clone()).message, "watchId already exists: w");
        fs::write(dir.path().join("new"), "").expect("a file is written");
        let changed = watcher.next_notification("fs/changed");
        assert_eq!(changed, json!({"watchId": "w", "changedPaths": [path(&dir, "new")]}));
        other.expect_silence();

        assert_eq!(watcher.call("fs/unwatch", json!({"watchId": "w"})), json!({}));
        assert_eq!(watcher.call("fs/unwatch", json!({"watchId": "w"})), json!({}));
        other.call("fs/watch", json!({"watchId": "w", "path": dir.path()}));
        fs::write(dir.path().join("newer"), "").expect("a file is written");
        other.next_notification("fs/changed");
        watcher.expect_silence();
    });
}

#[test]
fn watches_end_with_their_connection() {
    let settings = &[("limits.file_watches", "1")];
    crate::support::transports::over_every_shared_transport_with(settings, |server| {
        let dir = directory();
        let watch = json!({"watchId": "w", "path": dir.path()});
        let mut first = server.client();
        first.call("fs/watch", watch.clone());
        let mut second = server.client();
        assert!(second.refusal("fs/watch", watch.clone()).message.contains("1 watches are in use"));
        first.close();
        eventually("the watch has ended", || second.request("fs/watch", watch.clone()).is_ok());
    });
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_in_words_and_commands_obey_it() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let bytes = Some(1_048_576);
    let process = Pid::from_raw(server.process.id().try_into().expect("a process id"));
    prlimit(process, Resource::Fsize, Rlimit { current: bytes, maximum: bytes }).expect("a lower limit");

    let dir = directory();
    let large = "eHh4".repeat(500_000);
    let error = client.refusal("fs/writeFile", json!({"path": path(&dir, "large"), "dataBase64": large}));
    assert!(error.message.contains("File too large"), "{error:?}");
    client.call("fs/writeFile", json!({"path": path(&dir, "small"), "dataBase64": "eHh4"}));

    // To commands the signal means what it always means: 25 is SIGXFSZ.
    let shell = "head -c 3000000 /dev/zero > large; echo $?";
    let params = json!({
        "command": ["sh", "-c", shell],
        "cwd": dir.path(),
        "sandboxPolicy": {"type": "dangerFullAccess"},
    });
    assert_eq!(client.call("command/exec", params)["stdout"], format!("{}\n", 128 + 25));
}

#[test]
fn a_name_that_is_not_utf_8_can_be_used_in_every_request_by_its_bytes() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let dir = directory();
    let named = |name: &[u8]| dir.path().join(OsStr::from_bytes(name));
    // What JSON can show of a path, and its bytes.
    let shown = |path: &Path| json!(path.to_string_lossy());
    let bytes = |path: &Path| json!(BASE64_STANDARD.encode(path.as_os_str().as_bytes()));
    let about = |path: &Path| json!({"path": shown(path), "pathBase64": bytes(path)});
    let (folder, file, copy) = (named(b"\xff"), named(b"\xff/\xfe"), named(b"\xff/\xfd"));

    client.call("fs/createDirectory", about(&folder));
    let mut content = about(&file);
    content["dataBase64"] = json!("eA==");
    client.call("fs/writeFile", content);
    let both = json!({"sourcePath": shown(&file), "sourcePathBase64": bytes(&file),
        "destinationPath": shown(&copy), "destinationPathBase64": bytes(&copy)});
    client.call("fs/copy", both);
    let entries = client.call("fs/readDirectory", about(&folder))["entries"].take();
    let names: Vec<&Value> = entries.as_array().expect("a list").iter().map(|it| &it["fileNameBase64"]).collect();
    assert_eq!(names.len(), 2);
    for name in names {
        let name = BASE64_STANDARD.decode(name.as_str().expect("a name")).expect("base64");
        let entry = folder.join(OsStr::from_bytes(&name));
        assert_eq!(client.call("fs/readFile", about(&entry))["dataBase64"], "eA==");
        assert_eq!(client.call("fs/getMetadata", about(&entry))["isFile"], true);
    }
    client.call("fs/remove", about(&folder));
    assert!(!folder.exists());
    for wrong in ["@", "eA==", ""] {
        let error = client.refusal("fs/readFile", json!({"path": "/", "pathBase64": wrong}));
        assert!(error.code == -32602 && error.message.contains("base64"), "{error:?}");
    }
    assert_eq!(client.refusal("fs/readFile", json!({"path": "relative", "pathBase64": "Lw=="})).code, -32602);
}
