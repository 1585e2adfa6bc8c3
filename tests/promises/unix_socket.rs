//! The control socket is private from the first instant, and belongs to one server at a time (spec: local transports
//! 3).

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::process::Signal;
use serde_json::json;

use crate::support::home::Home;
use crate::support::http;
use crate::support::process::{Ended, Launch};
use crate::support::server::Server;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
}

fn refused(launch: Launch) -> String {
    let Ended { code, stdout, stderr } = launch.run();
    // Only what is in use may become free.
    let expected = if stderr.contains("already in use") { 75 } else { 1 };
    assert_eq!((code, stdout.as_str()), (Some(expected), ""), "{stderr}");
    stderr
}

fn at(path: &Path) -> Launch {
    Launch::new().args(&["--listen", &format!("unix://{}", path.display())])
}

#[test]
fn socket_and_directory_belong_to_their_owner_alone() {
    let home = Home::new();
    let directory = home.join("app-server-control");
    fs::create_dir(&directory).expect("a directory");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).expect("its owner may");
    let server = Server::unix(Launch::at(&home));
    assert!(fs::metadata(server.socket_path()).expect("it is there").file_type().is_socket());
    assert_eq!(mode(server.socket_path()), 0o600);
    assert_eq!(mode(&directory), 0o700, "an open directory is closed");
}

#[test]
fn a_directory_of_the_users_own_choice_keeps_its_mode() {
    let home = Home::new();
    let (given, made) = (home.join("given"), home.join("made"));
    fs::create_dir(&given).expect("a directory");
    fs::set_permissions(&given, fs::Permissions::from_mode(0o755)).expect("its owner may");
    let _servers = [&given, &made].map(|directory| {
        let path = directory.join("s.sock");
        Server::unix_at(at(&path), path)
    });
    assert_eq!((mode(&given), mode(&made)), (0o755, 0o700));
    assert_eq!((mode(&given.join("s.sock")), mode(&made.join("s.sock"))), (0o600, 0o600));
}

#[test]
fn a_socket_that_a_killed_server_left_is_taken_over() {
    let home = Home::new();
    let mut killed = Server::unix(Launch::at(&home));
    killed.process.kill();
    assert!(home.control_socket().exists());
    Server::unix(Launch::at(&home)).client();
}

#[test]
fn a_live_server_keeps_its_socket() {
    let home = Home::new();
    let server = Server::unix(Launch::at(&home));
    let path = server.socket_path().canonicalize().expect("it exists");
    let error = refused(Launch::at(&home).args(&["--listen", "unix://"]));
    assert_eq!(error, format!("Error: app-server control socket is already in use at {}\n", path.display()));
    let alias = home.join("alias");
    symlink(home.join("app-server-control"), &alias).expect("a link");
    let error = refused(at(&alias.join("app-server-control.sock")));
    assert!(error.starts_with("Error: app-server control socket is already in use at "), "{error}");
    server.client();
}

#[test]
fn a_foreign_listener_keeps_its_socket_too() {
    let home = Home::new();
    let path = home.join("foreign.sock");
    let _listener = UnixListener::bind(&path).expect("bound");
    let error = refused(at(&path));
    assert_eq!(error, format!("Error: app-server control socket is already in use at {}\n", path.display()));
    UnixStream::connect(&path).expect("it still listens");
}

#[test]
fn what_is_no_socket_is_never_removed() {
    let home = Home::new();
    let path = home.join("precious");
    fs::write(&path, "data").expect("a file");
    let error = refused(at(&path));
    assert_eq!(
        error,
        format!("Error: app-server control socket path exists and is not a socket: {}\n", path.display())
    );
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "data");

    let directory = home.join("app-server-control");
    fs::write(&directory, "data").expect("a file");
    let error = refused(Launch::at(&home).args(&["--listen", "unix://"]));
    assert!(error.starts_with("Error: socket directory path exists and is not a directory: "), "{error}");

    fs::remove_file(&directory).expect("it was ours");
    symlink(home.path(), &directory).expect("a link");
    let error = refused(Launch::at(&home).args(&["--listen", "unix://"]));
    assert!(error.starts_with("Error: socket directory path exists and is not a directory but a link: "), "{error}");
}

#[test]
fn a_umask_against_the_user_itself_shuts_nobody_out() {
    for umask in ["0700", "0777"] {
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let launch = Launch::new().without_privileges().through(&["sh", "-c", &script]);
        let home = launch.home().clone();
        let server = launch.args(&["--listen", "unix://"]).spawn();
        let socket = home.control_socket();
        crate::support::eventually("it listens", || UnixStream::connect(&socket).is_ok());
        let programs = home.join("app-server-programs");
        crate::support::eventually("it is up", || programs.join("apply_patch").is_symlink());
        for folder in [socket.parent().expect("a directory"), &programs] {
            assert_eq!(mode(folder), 0o700, "{umask} {}", folder.display());
        }
        drop(server);
    }
}

#[test]
fn a_start_in_a_removed_directory_says_so() {
    let script = "mkdir gone; cd gone; rmdir ../gone; exec \"$0\" \"$@\"";
    let error = refused(Launch::new().through(&["sh", "-c", script]).args(&["--listen", "unix://"]));
    assert!(error.contains("the working directory cannot be used") && error.contains("removed"), "{error}");
}

#[test]
fn a_parent_that_others_can_write_is_refused() {
    let home = Home::new();
    let parent = home.join("open");
    fs::create_dir(&parent).expect("a directory");
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o777)).expect("its owner may");
    let error = refused(at(&parent.join("s.sock")));
    let text = "socket parent must be owned by the user or root and prevent other users from replacing socket entries";
    assert!(error.starts_with(&format!("Error: {text}")), "{error}");
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o1777)).expect("its owner may");
    Server::unix_at(at(&parent.join("s.sock")), parent.join("s.sock")).client();
}

#[test]
fn a_missing_grandparent_is_an_error() {
    let error = refused(at(&Home::new().join("no/such/s.sock")));
    assert!(error.starts_with("Error: No such file or directory (os error 2)"), "{error}");
}

#[test]
fn the_socket_is_removed_at_the_end_and_only_if_it_is_still_ours() {
    let home = Home::new();
    let mut old = Server::unix(Launch::at(&home));
    fs::remove_file(home.control_socket()).expect("unlinked behind its back");
    let mut new = Server::unix(Launch::at(&home));
    old.process.signal(Signal::TERM);
    assert_eq!(old.process.exit_code(), 0);
    new.client();
    new.process.signal(Signal::TERM);
    assert_eq!(new.process.exit_code(), 0);
    assert!(!home.control_socket().exists());
}

#[test]
fn two_homes_and_two_paths_make_two_servers() {
    let home = Home::new();
    let path = home.join("second.sock");
    let first = Server::unix(Launch::at(&home));
    let launch = Launch::at(&home).args(&["--listen", &format!("unix://{}", path.display())]);
    let second = Server::unix_at(launch, path);
    for server in [&first, &second] {
        server.client().call("thread/start", json!({}));
    }
}

#[test]
fn a_relative_path_starts_at_the_working_directory() {
    let home = Home::new();
    let launch = Launch::at(&home).args(&["--listen", "unix://rel/s.sock"]);
    Server::unix_at(launch, home.join("rel/s.sock")).client();
}

#[test]
fn a_path_longer_than_the_system_allows_works_through_a_link() {
    let home = Home::new();
    let long = home.join(&"x".repeat(120));
    fs::create_dir(&long).expect("a directory");
    let path = long.join("s.sock");
    let launch = at(&path);
    // A client cannot name the long path either; it goes the way the link shows.
    let mut process = launch.spawn();
    crate::support::eventually("the link is there", || {
        assert!(process.is_running(), "{}", process.stderr.all());
        fs::read_link(&path).is_ok_and(|target| UnixStream::connect(target).is_ok())
    });
    let target = fs::read_link(&path).expect("a link");
    assert_eq!(mode(&target), 0o600);
    assert_eq!(mode(target.parent().expect("a parent")) & 0o077, 0);
    process.signal(Signal::TERM);
    assert_eq!(process.exit_code(), 0);
    assert!(fs::symlink_metadata(&path).is_err() && !target.exists(), "both are removed");
}

#[test]
fn health_can_be_asked_over_the_socket_too() {
    let server = Server::unix(Launch::new());
    for path in ["/healthz", "/readyz"] {
        let mut stream = server.unix_stream();
        let response = http::exchange(&mut stream, &http::request("GET", path, &[("Host", "localhost")]));
        assert_eq!(response.expect("an answer").status, 200);
    }
}

#[test]
fn the_upgrade_announces_the_largest_frame_and_refuses_an_origin() {
    let server = Server::unix(Launch::new());
    for path in ["/", "/rpc", "/anything?x=1"] {
        let response =
            http::exchange(&mut server.unix_stream(), &http::request("GET", path, http::UPGRADE)).expect("an answer");
        assert_eq!(response.status, 101);
        assert_eq!(response.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(response.header("x-codex-websocket-max-unfragmented-message-bytes"), Some("16777216"));
    }
    let headers = [http::UPGRADE, &[("Origin", "null")]].concat();
    let response = http::exchange(&mut server.unix_stream(), &http::request("GET", "/", &headers));
    assert_eq!(response.expect("an answer").status, 403);
}

#[test]
fn every_command_finds_a_server_whose_path_is_longer_than_the_system_allows() {
    let root = Home::new();
    let long = root.join(&"h".repeat(120));
    fs::create_dir(&long).expect("a directory");
    let home = long.to_str().expect("text").to_owned();
    let launch = || Launch::at(&root).env("CODEX_HOME", &home);
    let socket = control_socket_of(&long);
    let mut server = launch().args(&["--listen", "unix://"]).spawn();
    crate::support::eventually("the link is there", || {
        assert!(server.is_running(), "{}", server.stderr.all());
        fs::read_link(&socket).is_ok_and(|target| UnixStream::connect(target).is_ok())
    });
    let url = format!("unix://{}", socket.display());
    let request =
        "{\"id\":1,\"method\":\"initialize\",\"params\":{\"clientInfo\":{\"name\":\"x\",\"version\":\"1\"}}}\n";
    for arguments in [
        &["call", "thread/list"][..],
        &["call", "--connect", &url, "thread/list"],
        &["threads"],
        &["doctor"],
        &["remote-control", "status"],
    ] {
        let Ended { code, stdout, stderr } = launch().args(arguments).run();
        assert!(!stdout.contains("SUN_LEN") && !stderr.contains("SUN_LEN"), "{arguments:?}: {stdout}{stderr}");
        assert!(code == Some(0) || arguments == ["doctor"], "{arguments:?}: {code:?} {stdout}{stderr}");
    }
    let mut proxy = launch().arg("proxy").spawn();
    let stdout = crate::support::process::Collected::of(proxy.stdout.take().expect("a pipe"));
    std::io::Write::write_all(&mut proxy.stdin.take().expect("a pipe"), request.as_bytes()).expect("it reads");
    assert_eq!(proxy.exit_code(), 0, "{}", proxy.stderr.all());
    assert!(stdout.all().contains("\"userAgent\""));
    server.signal(Signal::TERM);
    assert_eq!(server.exit_code(), 0);
}

fn control_socket_of(home: &Path) -> std::path::PathBuf {
    home.join("app-server-control/app-server-control.sock")
}
