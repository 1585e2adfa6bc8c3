//! The phones that speak end to end, and the key of this machine.

use super::super::messages::{DeviceRecord, ForgetDevice, LoadDevices, SaveDevice, UseDevice};
use super::*;
use crate::protocol::scope::{Scope, Scopes};

fn device(environment: &str, client: &str) -> DeviceRecord {
    DeviceRecord {
        environment_id: environment.into(),
        client_id: client.into(),
        public_key: client.as_bytes().to_vec(),
        name: Some("a phone".into()),
        scopes: Scopes::from_iter([Scope::Observe, Scope::Converse]),
    }
}

fn save(db: &mut SqliteConnection, device: DeviceRecord, at: i64) {
    SaveDevice { device, at, most: 2 }.run(db).unwrap();
}

fn load(db: &mut SqliteConnection, new_key: u8) -> (Vec<u8>, Vec<DeviceRecord>) {
    LoadDevices { environment_id: "env".into(), new_key: vec![new_key; 32] }.run(db).unwrap()
}

#[test]
fn the_key_of_a_machine_is_made_once() {
    let mut db = database(&[]);
    assert_eq!(load(&mut db, 1), (vec![1; 32], Vec::new()));
    assert_eq!(load(&mut db, 2).0, vec![1; 32]);
}

#[test]
fn a_device_belongs_to_its_environment_and_is_forgotten_there_alone() {
    let mut db = database(&[]);
    save(&mut db, device("env", "c"), 1);
    save(&mut db, device("other", "c"), 1);
    assert_eq!(load(&mut db, 1).1, [device("env", "c")]);
    let forget = |db: &mut SqliteConnection, environment: &str| {
        ForgetDevice { environment_id: environment.into(), client_id: "c".into() }.run(db).unwrap()
    };
    assert!(forget(&mut db, "other"));
    assert_eq!(load(&mut db, 1).1.len(), 1);
    assert!(forget(&mut db, "env") && !forget(&mut db, "env"));
    assert!(load(&mut db, 1).1.is_empty());
}

#[test]
fn a_device_that_is_paired_again_has_one_row_and_the_one_unused_for_longest_goes_first() {
    let mut db = database(&[]);
    save(&mut db, device("env", "first"), 1);
    save(&mut db, device("env", "second"), 2);
    let changed = DeviceRecord { public_key: vec![9], scopes: Scopes::ALL, ..device("env", "first") };
    save(&mut db, changed.clone(), 3);
    assert_eq!(load(&mut db, 1).1, [changed.clone(), device("env", "second")]);
    UseDevice { environment_id: "env".into(), client_id: "second".into(), at: 4 }.run(&mut db).unwrap();
    save(&mut db, device("env", "third"), 5);
    assert_eq!(load(&mut db, 1).1, [device("env", "second"), device("env", "third")]);
}
