//! What this host is at the remote-control backend, and whether that begins with the server.

use super::super::messages::{LoadEnrollment, SaveEnrollment, SetRemoteControlEnabled};
use super::super::record::{EnrollmentKey, EnrollmentRecord};
use super::super::schema::remote_control_enrollments as table;
use super::*;

fn key(url: &str, account: &str, client: &str) -> EnrollmentKey {
    EnrollmentKey { websocket_url: url.into(), account_id: account.into(), client_name: client.into() }
}

fn mine() -> EnrollmentKey {
    key("wss://chatgpt.com/x", "acc-1", "")
}

fn save(db: &mut SqliteConnection, key: EnrollmentKey, server: &str, at_seconds: i64) {
    let (server_id, environment_id) = (server.to_owned(), format!("env of {server}"));
    SaveEnrollment { key, server_id, environment_id, server_name: "vm".into(), at_seconds }.run(db).unwrap();
}

fn load(db: &mut SqliteConnection, key: EnrollmentKey) -> Option<EnrollmentRecord> {
    LoadEnrollment { key }.run(db).unwrap()
}

fn enable(db: &mut SqliteConnection, enabled: bool, at_seconds: i64) -> bool {
    SetRemoteControlEnabled { key: mine(), enabled, at_seconds }.run(db).unwrap()
}

fn updated_at(db: &mut SqliteConnection) -> Vec<i64> {
    table::table.select(table::updated_at).load(db).unwrap()
}

fn record(server: &str, enabled: Option<bool>) -> Option<EnrollmentRecord> {
    Some(EnrollmentRecord { server_id: server.into(), environment_id: format!("env of {server}"), enabled })
}

#[test]
fn an_enrollment_is_found_by_its_whole_key_and_begins_without_a_wish() {
    let mut db = database(&[]);
    assert_eq!(load(&mut db, mine()), None);
    save(&mut db, mine(), "srv_1", 5);
    assert_eq!(load(&mut db, mine()), record("srv_1", None));
    for other in [
        key("wss://chatgpt.com/y", "acc-1", ""),
        key("wss://chatgpt.com/x", "acc-2", ""),
        key("wss://chatgpt.com/x", "acc-1", "vscode"),
    ] {
        assert_eq!(load(&mut db, other.clone()), None, "{other:?}");
        save(&mut db, other, "srv_2", 6);
    }
    assert_eq!(load(&mut db, mine()), record("srv_1", None));
}

#[test]
fn a_new_enrollment_takes_the_place_of_the_old_one_and_leaves_the_wish_alone() {
    let mut db = database(&[]);
    save(&mut db, mine(), "srv_1", 5);
    for wish in [true, false] {
        assert!(enable(&mut db, wish, 6));
        save(&mut db, mine(), "srv_2", 7);
        assert_eq!(load(&mut db, mine()), record("srv_2", Some(wish)));
    }
    assert_eq!(updated_at(&mut db), [7]);
}

#[test]
fn a_wish_needs_an_enrollment_to_be_remembered_with() {
    let mut db = database(&[]);
    assert!(!enable(&mut db, true, 5));
    assert!(updated_at(&mut db).is_empty());
    save(&mut db, mine(), "srv_1", 6);
    assert!(enable(&mut db, true, 7));
    assert_eq!((load(&mut db, mine()), updated_at(&mut db)), (record("srv_1", Some(true)), vec![7]));
}
