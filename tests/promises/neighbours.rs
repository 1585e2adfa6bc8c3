//! Two servers of one home do not hear of each other's changes: each says so.

use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

#[test]
fn two_servers_of_one_home_and_doctor_say_so() {
    let home = Home::new();
    let launch = || Launch::at(&home).setting("startup.neighbour_check_seconds", 1);
    let first = Server::unix(launch());
    let second = Server::ws(launch());
    for (server, other) in [(&first, &second), (&second, &first)] {
        let named = format!("uses the same CODEX_HOME (process {})", other.process.id());
        server.process.stderr.wait_for("the other server", |text| text.contains(&named).then_some(()));
    }
    let report = Launch::at(&home).arg("doctor").run().stdout;
    let line = report.lines().find(|line| line.starts_with("warning  servers ")).expect("a warning");
    for server in [&first, &second] {
        assert!(line.contains(&server.process.id().to_string()), "{line}");
    }
}
