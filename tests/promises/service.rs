//! The server as a service of the user. The programs of the service manager are replaced by one that writes down how it
//! was called.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use crate::support::home::Home;
use crate::support::process::{Ended, Launch};

/// A user of systemd.
struct User(Home);

impl User {
    fn new(lingers: &str) -> Self {
        let home = Home::new();
        let programs = home.join("programs");
        fs::create_dir(&programs).expect("a folder");
        for name in ["systemctl", "loginctl", "journalctl"] {
            let script =
                format!("#!/bin/sh\necho \"{name} $*\" >> \"$CALLS\"\n[ {name} != loginctl ] || echo {lingers}\n");
            let path = programs.join(name);
            fs::write(&path, script).expect("a script");
            fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("its mode");
        }
        Self(home)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a name").to_owned()
    }

    fn service(&self, words: &[&str]) -> Ended {
        let path = format!("{}:/usr/bin:/bin", self.path("programs"));
        let launch = Launch::at(&self.0).arg("service").args(words).env("PATH", &path).env("HOME", &self.path(""));
        launch.env("XDG_CONFIG_HOME", &self.path("config")).env("CALLS", &self.path("calls")).run()
    }

    fn unit(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.0.join("config/systemd/user").join(name)).ok()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.path("calls")).unwrap_or_default()
    }
}

#[test]
fn an_installed_service_runs_this_program_for_this_home_and_can_be_removed() {
    let user = User::new("no");
    let ended = user.service(&["install"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("loginctl enable-linger"), "it says that lingering is off: {}", ended.stdout);
    let unit = user.unit("codex-app-server.service").expect("it was written");
    assert!(unit.contains(&format!("\nExecStart=\"{}\" --listen unix://\n", env!("CARGO_BIN_EXE_codex-app-server"))));
    assert!(
        unit.contains("\nType=notify\n") && unit.contains(&format!("CODEX_HOME={}", user.0.path().display())),
        "{unit}"
    );
    let socket = user.unit("codex-app-server.socket").expect("it was written");
    assert!(socket.contains(&format!("\nListenStream={}\n", user.0.control_socket().display())), "{socket}");
    let expected = "systemctl --user enable --now codex-app-server.socket codex-app-server.service\n";
    assert!(user.calls().contains(expected), "{}", user.calls());

    assert_eq!(user.service(&["install"]).code, Some(0), "again is the same");
    assert_eq!(user.service(&["logs", "--follow"]).code, Some(0));
    assert!(user.calls().contains("journalctl --user --unit codex-app-server.service"), "{}", user.calls());
    assert_eq!(user.service(&["uninstall"]).code, Some(0));
    assert_eq!((user.unit("codex-app-server.service"), user.unit("codex-app-server.socket")), (None, None));
    assert!(user.service(&["uninstall"]).stdout.contains("no service to remove"));
}

#[test]
fn lingering_is_not_spoken_of_where_it_is_on() {
    let ended = User::new("yes").service(&["install"]);
    assert!(ended.code == Some(0) && !ended.stdout.contains("linger"), "{}", ended.stdout);
}

#[test]
fn a_unit_that_somebody_else_wrote_is_left_alone() {
    let user = User::new("no");
    let folder = user.0.join("config/systemd/user");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("codex-app-server.service"), "mine").expect("a unit");
    for action in ["install", "uninstall"] {
        let ended = user.service(&[action]);
        assert_eq!(ended.code, Some(1), "{}", ended.stdout);
        assert!(ended.stderr.contains("was not written by `service install`"), "{}", ended.stderr);
    }
    assert_eq!(user.unit("codex-app-server.service").as_deref(), Some("mine"));
    assert_eq!(user.unit("codex-app-server.socket"), None, "nothing was written");
}

#[test]
fn a_machine_without_systemd_is_told_what_to_do_instead() {
    let user = User::new("no");
    for name in ["systemctl", "loginctl"] {
        fs::remove_file(user.0.join("programs").join(name)).expect("it is there");
    }
    let launch = Launch::at(&user.0).args(&["service", "install"]).env("PATH", &user.path("programs"));
    let ended = launch.env("HOME", &user.path("")).env("XDG_CONFIG_HOME", &user.path("config")).run();
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("systemctl cannot be started") && ended.stderr.contains("--listen unix://"),
        "{ended:?}"
    );
}
