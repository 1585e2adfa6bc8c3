//! Tests of file operations, compared with recorded behaviour of the reference program.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;
use crate::protocol::fs::FsReadDirectoryResponse;
use crate::protocol::path::AbsolutePath;

/// A temporary directory; in params and results `DIR` stands for it.
struct Fixture {
    dir: tempfile::TempDir,
    limits: Limits,
}

impl Fixture {
    fn new() -> Self {
        let limits = Limits { file_bytes: 16, directory_entries: 8, ..Limits::tiny() };
        Self { dir: tempfile::tempdir().unwrap(), limits }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn params<T: serde::de::DeserializeOwned>(&self, params: Value) -> T {
        let dir = self.dir.path().display().to_string();
        serde_json::from_str(&params.to_string().replace("DIR", &dir)).unwrap()
    }

    fn told<T>(&self, result: Result<T, RpcError>) -> Result<T, String> {
        let dir = self.dir.path().display().to_string();
        result.map_err(|e| format!("{} {}", e.code.number(), e.message.replace(&dir, "DIR")))
    }

    fn read_file(&self, path: &str) -> Result<String, String> {
        let path = self.params::<AbsolutePath>(json!(path));
        self.told(operations::read_file(&path, &self.limits, &Progress::default()).map(|read| read.data_base64))
    }

    fn write_file(&self, path: &str, data: &str) -> Result<(), String> {
        self.told(operations::write_file(&self.params(json!({"path": path, "dataBase64": data})), &self.limits))
    }

    fn create_directory(&self, params: Value) -> Result<(), String> {
        self.told(operations::create_directory(&self.params(params)))
    }

    fn read_directory(&self, path: &str) -> Result<FsReadDirectoryResponse, String> {
        self.told(operations::read_directory(&self.params(json!(path)), &self.limits, &Progress::default()))
    }

    fn remove(&self, params: Value) -> Result<(), String> {
        self.told(remove::remove(&self.params(params), &Progress::default()))
    }

    fn copy(&self, from: &str, to: &str, recursive: bool) -> Result<(), String> {
        let params = json!({"sourcePath": from, "destinationPath": to, "recursive": recursive});
        self.told(copy::copy(&self.params(params), &self.limits, &Progress::default()))
    }

    fn make_pipe(&self, name: &str) {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, self.path(name), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    }
}

fn refused<T>(reason: &str) -> Result<T, String> {
    Err(reason.to_owned())
}

#[test]
fn a_file_is_read_as_base64_and_nothing_else_is() {
    let fixture = Fixture::new();
    fixture.write("file", "hello");
    symlink("file", fixture.path("link")).unwrap();
    fixture.make_pipe("pipe");
    assert_eq!(fixture.read_file("DIR/link").unwrap(), "aGVsbG8=");
    assert_eq!(fixture.read_file("DIR/none"), refused("-32603 DIR/none: No such file or directory (os error 2)"));
    assert_eq!(fixture.read_file("DIR/file/x"), refused("-32603 DIR/file/x: Not a directory (os error 20)"));
    assert_eq!(fixture.read_file("DIR"), refused("-32600 path `DIR` is not a file"));
    assert_eq!(fixture.read_file("DIR/pipe"), refused("-32600 path `DIR/pipe` is not a file"));
    assert_eq!(fixture.read_file("/dev/null"), refused("-32600 path `/dev/null` is not a file"));
}

#[test]
fn sizes_are_bounded_both_ways() {
    let fixture = Fixture::new();
    fixture.write("fits", &"x".repeat(16));
    fixture.write("large", &"x".repeat(17));
    fixture.read_file("DIR/fits").unwrap();
    let reason = "has more than 16 bytes, the most that one request can move";
    assert_eq!(fixture.read_file("DIR/large"), refused(&format!("-32600 `DIR/large` {reason}")));
    // It reports a size of 0.
    assert_eq!(fixture.read_file("/proc/self/status"), refused(&format!("-32600 `/proc/self/status` {reason}")));
    let data = "eHh4eHh4eHh4eHh4eHh4eHg=";
    assert_eq!(fixture.write_file("DIR/fits", data), refused(&format!("-32600 `DIR/fits` {reason}")));
}

#[test]
fn a_file_is_written_through_links_and_says_why_not() {
    let fixture = Fixture::new();
    symlink("target", fixture.path("link")).unwrap();
    fixture.write_file("DIR/link", "aGVsbG8=").unwrap();
    assert_eq!(fixture.read("target"), "hello");
    fixture.write_file("DIR/link", "").unwrap();
    assert_eq!(fixture.read("target"), "");
    let missing = "-32603 DIR/no/such: No such file or directory (os error 2)";
    assert_eq!(fixture.write_file("DIR/no/such", ""), refused(missing));
    assert_eq!(fixture.write_file("DIR", ""), refused("-32603 DIR: Is a directory (os error 21)"));
    assert_eq!(
        fixture.write_file("DIR/file", "@@@"),
        refused("-32600 fs/writeFile requires valid base64 dataBase64: Invalid symbol 64, offset 0. (path `DIR/file`)")
    );
    assert!(!fixture.path("file").exists());
}

#[test]
fn metadata_is_that_of_what_a_link_leads_to() {
    let fixture = Fixture::new();
    fixture.write("d/file", "");
    symlink("d", fixture.path("link")).unwrap();
    symlink("nowhere", fixture.path("dangling")).unwrap();
    let metadata = |path: &str| fixture.told(operations::get_metadata(&fixture.params(json!(path))));
    let kind = |path: &str| metadata(path).map(|it| (it.is_directory, it.is_file, it.is_symlink));
    assert_eq!(kind("DIR/d"), Ok((true, false, false)));
    assert_eq!(kind("DIR/link"), Ok((true, false, true)));
    assert_eq!(kind("DIR/d/file"), Ok((false, true, false)));
    assert_eq!(kind("DIR/dangling"), refused("-32603 DIR/dangling: No such file or directory (os error 2)"));
    let modified = fixture.path("d/file").metadata().unwrap();
    let expected = modified.mtime() * 1000 + modified.mtime_nsec() / 1_000_000;
    assert_eq!(metadata("DIR/d/file").unwrap().modified_at_ms, expected);
}

#[test]
fn a_directory_is_listed_by_name_up_to_its_bound() {
    let fixture = Fixture::new();
    fixture.write("d/b", "");
    fixture.write("d/sub/x", "");
    symlink("sub", fixture.path("d/a")).unwrap();
    symlink("nowhere", fixture.path("d/nowhere")).unwrap();
    fs::write(fixture.path("d").join(OsStr::from_bytes(b"z\xff")), "").unwrap();
    let listed = serde_json::to_value(fixture.read_directory("DIR/d").unwrap()).unwrap();
    let entry = |name, directory: bool| json!({"fileName": name, "isDirectory": directory, "isFile": !directory});
    let dangling = json!({"fileName": "nowhere", "isDirectory": false, "isFile": false});
    let bytes = json!({"fileName": "z\u{fffd}", "fileNameBase64": "ev8=", "isDirectory": false, "isFile": true});
    let expected = json!([entry("a", true), entry("b", false), dangling, entry("sub", true), bytes]);
    assert_eq!(listed, json!({"entries": expected}));
    assert_eq!(fixture.read_directory("DIR/d/b"), refused("-32603 DIR/d/b: Not a directory (os error 20)"));
    (0..9).for_each(|i| fixture.write(&format!("many/{i}"), ""));
    let reason = "-32600 `DIR/many` has more than 8 entries, the most that are listed";
    assert_eq!(fixture.read_directory("DIR/many"), refused(reason));
}

#[test]
fn directories_are_made_with_their_parents_unless_said_otherwise() {
    let fixture = Fixture::new();
    fixture.create_directory(json!({"path": "DIR/a/b"})).unwrap();
    fixture.create_directory(json!({"path": "DIR/a/b", "recursive": null})).unwrap();
    let again = fixture.create_directory(json!({"path": "DIR/a/b", "recursive": false}));
    assert_eq!(again, refused("-32603 DIR/a/b: File exists (os error 17)"));
    let orphan = fixture.create_directory(json!({"path": "DIR/c/d", "recursive": false}));
    assert_eq!(orphan, refused("-32603 DIR/c/d: No such file or directory (os error 2)"));
}

#[test]
fn removing_takes_links_themselves_and_forgives_what_is_not_there() {
    let fixture = Fixture::new();
    fixture.write("d/sub/file", "");
    symlink("d", fixture.path("link")).unwrap();
    fixture.remove(json!({"path": "DIR/link/"})).unwrap();
    assert!(fixture.path("d/sub/file").exists() && !fixture.path("link").is_symlink());
    let full = fixture.remove(json!({"path": "DIR/d", "recursive": false}));
    assert_eq!(full, refused("-32603 DIR/d: Directory not empty (os error 39)"));
    fixture.remove(json!({"path": "DIR/d"})).unwrap();
    fixture.remove(json!({"path": "DIR/d"})).unwrap();
    let gone = fixture.remove(json!({"path": "DIR/d", "force": false}));
    assert_eq!(gone, refused("-32603 DIR/d: No such file or directory (os error 2)"));
}

#[test]
fn a_tree_is_copied_with_its_links_and_without_its_pipes() {
    let fixture = Fixture::new();
    fixture.write("d/sub/file", "x");
    symlink("../d/sub", fixture.path("d/link")).unwrap();
    fixture.make_pipe("d/pipe");
    fixture.copy("DIR/d", "DIR/new/d2", true).unwrap();
    assert_eq!(fixture.read("new/d2/sub/file"), "x");
    assert_eq!(fs::read_link(fixture.path("new/d2/link")).unwrap(), PathBuf::from("../d/sub"));
    assert!(!fixture.path("new/d2/pipe").exists());
    let linked = fixture.copy("DIR/d", "DIR/new/d2", true).unwrap_err();
    assert_eq!(linked, "-32603 DIR/d to DIR/new/d2: DIR/new/d2/link: File exists (os error 17)");
    for (from, to, recursive, reason) in [
        ("DIR/d", "DIR/d3", false, "fs/copy requires recursive: true when sourcePath is a directory"),
        ("DIR/d", "DIR/d/sub/in", true, "fs/copy cannot copy a directory to itself or one of its descendants"),
        ("DIR/d", "DIR/d/link/new/in", true, "fs/copy cannot copy a directory to itself or one of its descendants"),
        ("DIR/d/pipe", "DIR/p", false, "fs/copy only supports regular files, directories, and symlinks"),
    ] {
        assert_eq!(fixture.copy(from, to, recursive), refused(&format!("-32600 {reason} (`{from}` to `{to}`)")));
    }
}

#[test]
fn a_file_copied_onto_itself_is_not_emptied() {
    let fixture = Fixture::new();
    fixture.write("file", "x");
    symlink("file", fixture.path("link")).unwrap();
    fixture.copy("DIR/file", "DIR/file", false).unwrap();
    fixture.copy("DIR/file", "DIR/link", false).unwrap();
    assert_eq!(fixture.read("file"), "x");
    fixture.copy("DIR/file", "DIR/other", true).unwrap();
    assert_eq!(fixture.read("other"), "x");
    fixture.make_pipe("pipe");
    let pipe = "-32603 DIR/file to DIR/pipe: DIR/pipe: not a regular file";
    assert_eq!(fixture.copy("DIR/file", "DIR/pipe", false), refused(pipe));
    let missing = "-32603 DIR/none: No such file or directory (os error 2)";
    assert_eq!(fixture.copy("DIR/none", "DIR/x", false), refused(missing));
}
