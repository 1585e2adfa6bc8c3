//! Tests of a start with different files at the path.

use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, symlink},
        net::UnixStream,
    },
    path::PathBuf,
};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use tempfile::TempDir;

use super::*;

/// A `$CODEX_HOME` and a directory for sockets.
struct World {
    root: TempDir,
}

impl World {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    async fn bind(&self, path: &Path) -> Result<ControlSocket, UnixSocketError> {
        ControlSocket::bind(path, self.root.path(), Duration::from_secs(5)).await
    }

    async fn refusal(&self, path: &Path) -> String {
        self.bind(path).await.unwrap_err().to_string()
    }
}

/// Creates the file of a killed server: a socket without a listener.
fn leave_behind(socket: ControlSocket) {
    std::mem::forget(socket.file);
    drop(socket.listener);
}

#[actix_rt::test]
async fn the_default_socket_is_private_and_goes_with_its_server() {
    let world = World::new();
    let path = world.path("app-server-control/app-server-control.sock");
    let socket = world.bind(&path).await.unwrap();
    let metadata = fs::symlink_metadata(&path).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
    UnixStream::connect(&path).unwrap();
    drop(socket.file);
    assert!(!path.exists());
}

#[actix_rt::test]
async fn a_live_server_keeps_its_path_under_every_spelling() {
    let world = World::new();
    let path = world.path("dir/s.sock");
    let _live = world.bind(&path).await.unwrap();
    symlink(world.path("dir"), world.path("other")).unwrap();
    symlink(&path, world.path("link.sock")).unwrap();
    for spelling in [path, world.path("other/s.sock"), world.path("link.sock")] {
        assert_eq!(
            world.refusal(&spelling).await,
            format!("app-server control socket is already in use at {}", spelling.display())
        );
    }
}

#[actix_rt::test]
async fn a_server_that_does_not_accept_is_alive_all_the_same() {
    let world = World::new();
    let path = world.path("full.sock");
    // A short queue, so that it is full before this process runs out of descriptors.
    let full = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&full, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&full, 1).unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::net::UnixStream::connect(&path).await {
        waiting.push(stream);
    }
    assert!(world.refusal(&path).await.starts_with("app-server control socket is already in use at "));
}

#[actix_rt::test]
async fn a_stale_socket_is_replaced() {
    let world = World::new();
    let path = world.path("s.sock");
    leave_behind(world.bind(&path).await.unwrap());
    let _socket = world.bind(&path).await.unwrap();
    UnixStream::connect(&path).unwrap();
}

#[actix_rt::test]
async fn what_is_not_ours_stays() {
    let world = World::new();
    let (file, directory, dangling) = (world.path("file"), world.path("directory"), world.path("dangling"));
    fs::write(&file, "precious").unwrap();
    fs::create_dir(&directory).unwrap();
    symlink("/nonexistent/elsewhere", &dangling).unwrap();
    for path in [&file, &directory] {
        assert_eq!(
            world.refusal(path).await,
            format!("app-server control socket path exists and is not a socket: {}", path.display())
        );
    }
    assert_eq!(world.refusal(&dangling).await, format!("File exists (os error 17): {}", dangling.display()));
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert!(dangling.is_symlink());
}

#[actix_rt::test]
async fn a_path_too_long_for_a_socket_leads_to_a_short_one() {
    let world = World::new();
    let path = world.path(&"x".repeat(120)).join("s.sock");
    let socket = world.bind(&path).await.unwrap();
    let target = fs::read_link(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(target.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
    UnixStream::connect(&target).unwrap();
    assert!(world.refusal(&path).await.starts_with("app-server control socket is already in use at "));

    leave_behind(socket);
    let socket = world.bind(&path).await.unwrap();
    UnixStream::connect(&target).unwrap();
    drop(socket.file);
    assert!(!path.is_symlink() && !target.exists());
}

#[actix_rt::test]
async fn a_leftover_of_the_reference_program_is_replaced() {
    let world = World::new();
    let path = world.path("s.sock");
    // The reference program binds every socket at its short path and creates a link to it.
    let target = place::short_path(&path).unwrap();
    directory::make_private(target.parent().unwrap()).unwrap();
    drop(UnixListener::bind(&target).unwrap());
    symlink(&target, &path).unwrap();

    let _socket = world.bind(&path).await.unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    assert!(!target.exists());
}

#[actix_rt::test]
async fn of_two_servers_started_at_once_one_runs() {
    let world = World::new();
    for path in [world.path("app-server-control/app-server-control.sock"), world.path("custom/s.sock")] {
        if let Ok(socket) = world.bind(&path).await {
            leave_behind(socket);
        }
        let results = futures_util::future::join_all((0..8).map(|_| world.bind(&path))).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{}", path.display());
    }
}

#[actix_rt::test]
async fn servers_of_one_home_on_two_paths_both_run() {
    let world = World::new();
    let _one = world.bind(&world.path("one.sock")).await.unwrap();
    let _two = world.bind(&world.path("two.sock")).await.unwrap();
}

#[actix_rt::test]
async fn a_server_that_never_finishes_starting_is_not_waited_for_for_ever() {
    let world = World::new();
    let control = world.path(CONTROL_DIRECTORY);
    directory::make_private(&control).unwrap();
    let _held = startup_lock::lock_file(&control.join(STARTUP_LOCK), Duration::ZERO).await.unwrap();
    let path = control.join("s.sock");
    let result = ControlSocket::bind(&path, world.root.path(), Duration::from_millis(50)).await;
    assert!(matches!(result, Err(UnixSocketError::StillStarting { .. })));
}

#[actix_rt::test]
async fn an_old_server_leaves_the_socket_of_its_successor_alone() {
    let world = World::new();
    let path = world.path("s.sock");
    let old = world.bind(&path).await.unwrap();
    fs::remove_file(&path).unwrap();
    let _new = world.bind(&path).await.unwrap();
    drop(old);
    UnixStream::connect(&path).unwrap();
}

#[actix_rt::test]
async fn a_directory_where_others_could_replace_the_socket_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let shared = world.path("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(world.refusal(&shared.join("s.sock")).await.starts_with("socket parent must be owned by the user or root"));
}
