//! Servers that start at the same moment take turns, and report when they have waited in vain.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::support::eventually;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

fn startup_lock(home: &Home) -> File {
    let directory = home.join("app-server-control");
    fs::create_dir_all(&directory).expect("a directory");
    let lock = File::create(directory.join("app-server-startup.lock")).expect("a file");
    lock.lock().expect("the lock is ours");
    lock
}

#[test]
fn of_two_servers_that_start_at_once_one_serves_and_one_says_why_not() {
    for _ in 0..3 {
        let home = Home::new();
        let mut servers = [1, 2].map(|_| Launch::at(&home).args(&["--listen", "unix://"]).spawn());
        let mut loser = None;
        eventually("one of them gives up", || {
            loser = servers.iter_mut().position(|server| !server.is_running());
            loser.is_some()
        });
        let loser = loser.expect("one gave up");
        assert_eq!(servers[loser].exit_code(), 75, "it may start when the other one has ended");
        let error = servers[loser].stderr.all();
        let last = error.lines().last().expect("an error");
        assert!(last.starts_with("Error: app-server control socket is already in use at "), "{error}");
        assert!(servers[1 - loser].is_running());
        UnixStream::connect(home.control_socket()).expect("the other one serves");
    }
}

#[test]
fn a_server_that_waits_for_the_lock_gives_up_after_its_time_and_names_the_lock() {
    let home = Home::new();
    let _lock = startup_lock(&home);
    let before = Instant::now();
    let launch = Launch::at(&home).setting("startup.lock_seconds", 1);
    let ended = launch.args(&["--listen", "unix://"]).run();
    assert!(before.elapsed() >= Duration::from_secs(1), "it gave up after {:?}", before.elapsed());
    assert_eq!(ended.code, Some(75), "{ended:?}");
    let error = ended.stderr.lines().find(|line| line.starts_with("Error: ")).expect("an error");
    assert!(error.contains("app-server-startup.lock"), "{error}");
    assert!(!home.control_socket().exists());
}

#[test]
fn a_server_goes_on_when_the_lock_is_given_back() {
    let home = Home::new();
    let lock = startup_lock(&home);
    let mut waiting = Launch::at(&home).args(&["--listen", "unix://"]).spawn();
    lock.unlock().expect("it was ours");
    eventually("the socket takes connections", || {
        assert!(waiting.is_running(), "{}", waiting.stderr.all());
        UnixStream::connect(home.control_socket()).is_ok()
    });
}

#[test]
fn the_lock_is_free_while_a_server_serves() {
    let server = Server::unix(Launch::new());
    let path = server.process.home().join("app-server-control/app-server-startup.lock");
    let lock = File::open(path).expect("the lock file stays");
    eventually("nobody holds it", || lock.try_lock().is_ok());
}
