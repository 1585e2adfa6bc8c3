//! Devices that are paired end to end: by a secret that was scanned, or by words that people compare.

use super::end_to_end::{has_ended, knowing, observe};
use super::phone::*;
use super::*;
use crate::remote_link::{Decide, OpenPairing};

fn pairing(number: u64) -> OpenPairing {
    let typed = vec![crate::remote_link::pairing_id(b"BCDFGHJK")];
    OpenPairing { number, secret: secret(), typed, lasts: Duration::from_secs(300) }
}

#[test]
fn a_phone_that_has_scanned_the_secret_is_paired_by_it_once() {
    let mut phone = TestPhone::new("n", "s");
    let mut test = knowing(&[]);
    test.session.open_pairing(pairing(1), test.now);
    let greeting = phone.greeting(machine_public(), "env", Some((&exposed(&secret()), true)));
    test.phone_says(&mut phone, &greeting);
    let [answer] = &test.objects()[..] else { panic!("one answer") };
    assert!(phone.answered(answer));
    test.opens(&mut phone);
    let came = test.session.came().unwrap();
    let new = came.new.unwrap();
    assert!(new.knows_secret && new.words == phone.words() && new.name.as_deref() == Some("a phone"));
    assert!(test.objects().is_empty(), "it waits until the pairing is on disk");
    let scopes = Some(observe());
    let decision = Decide { pairing: 1, client_id: "n".into(), public_key: phone.public(), scopes };
    test.session.decide(&decision, test.now);
    let [accepted] = &test.objects()[..] else { panic!("one") };
    assert_eq!(phone.open(accepted), json!({"pairing": "accepted"}));
    test.phone_seals(&mut phone, &json!({"id": 0, "method": "initialize"}));
    assert_eq!(test.delivered_ids(), [0]);
    let mut second = TestPhone { private: [3; 32], ..TestPhone::new("x", "s") };
    let greeting = second.greeting(machine_public(), "env", Some((&exposed(&secret()), true)));
    test.phone_says(&mut second, &greeting);
    assert!(test.objects().iter().any(|it| it["reason"] == "noPairing"));
    // And now it is known.
    let mut again = TestPhone::new("n", "t");
    test.greets(&mut again);
}

#[test]
fn who_does_not_know_the_secret_gets_no_further_than_the_handshake() {
    let mut test = knowing(&[]);
    test.session.open_pairing(pairing(1), test.now);
    let mut thief = TestPhone::new("n", "s");
    let mut greeting = thief.greeting(machine_public(), "env", Some((b"a guess of 16 by", true)));
    greeting["pairing"] = json!(crate::remote_link::pairing_id(&exposed(&secret())));
    test.phone_says(&mut thief, &greeting);
    let [answer] = &test.objects()[..] else { panic!("one answer") };
    assert!(!thief.answered(answer));
    test.phone_says(&mut thief, &json!({"endToEnd": "sealed", "data": "AAAA"}));
    has_ended(&mut test, "tampered");
    assert!(test.session.came().is_none());
}

#[test]
fn a_phone_that_was_told_a_code_waits_for_a_person() {
    let mut phone = TestPhone::new("n", "s");
    let mut test = knowing(&[]);
    test.session.open_pairing(pairing(1), test.now);
    test.phone_says(&mut phone, &json!({"endToEnd": "ask"}));
    let [key] = &test.objects()[..] else { panic!("one") };
    assert_eq!(key["endToEnd"], "key");
    let greeting = phone.greeting(machine_public(), "env", Some((b"BCDFGHJK", false)));
    test.phone_says(&mut phone, &greeting);
    let [answer] = &test.objects()[..] else { panic!("one answer") };
    assert!(phone.answered(answer));
    test.opens(&mut phone);
    let [waiting] = &test.objects()[..] else { panic!("one") };
    assert_eq!(phone.open(waiting), json!({"pairing": "waiting"}));
    let new = test.session.came().unwrap().new.unwrap();
    assert!(!new.knows_secret && new.words == phone.words());
    // It does not wait: it is not let in.
    test.phone_seals(&mut phone, &json!({"id": 0, "method": "initialize"}));
    has_ended(&mut test, "invalid");
}

#[test]
fn somebody_in_the_middle_shows_other_words() {
    // Two handshakes: of the relay with the machine, and of the phone with the relay.
    let mut phone = TestPhone::new("n", "s");
    let mut relay = TestPhone { private: [66; 32], ..TestPhone::new("n", "s") };
    let (mut test, mut false_machine) = (knowing(&[]), knowing(&[]));
    for (machine, side) in [(&mut test, &mut relay), (&mut false_machine, &mut phone)] {
        machine.session.open_pairing(pairing(1), machine.now);
        let greeting = side.greeting(machine_public(), "env", Some((b"BCDFGHJK", false)));
        machine.phone_says(side, &greeting);
        let answers = machine.objects();
        assert!(side.answered(&answers[0]));
        machine.opens(side);
    }
    assert_ne!(test.session.came().unwrap().new.unwrap().words, phone.words());
}

#[test]
fn a_number_that_was_not_committed_to_is_refused() {
    let mut phone = TestPhone::new("n", "s");
    let mut test = knowing(&[]);
    test.session.open_pairing(pairing(1), test.now);
    let greeting = phone.greeting(machine_public(), "env", Some((b"BCDFGHJK", false)));
    test.phone_says(&mut phone, &greeting);
    let answers = test.objects();
    assert!(phone.answered(&answers[0]));
    test.phone_seals(&mut phone, &json!({"pairing": {"open": {"nonce": "AAAAAAAAAAAAAAAAAAAAAA=="}}}));
    has_ended(&mut test, "tampered");
    assert!(test.session.came().is_none());
}

#[test]
fn a_pairing_ends_with_its_time_and_after_some_tries() {
    let mut test = knowing(&[]);
    let greet = |test: &mut Harness| {
        let mut phone = TestPhone::new("n", "s");
        let greeting = phone.greeting(machine_public(), "env", Some((b"BCDFGHJK", false)));
        test.phone_says(&mut phone, &greeting);
        test.objects().pop().unwrap()
    };
    assert_eq!(greet(&mut test)["reason"], "noPairing");
    test.session.open_pairing(pairing(1), test.now);
    for _ in 0..3 {
        assert_eq!(greet(&mut test)["endToEnd"], "handshake");
    }
    assert_eq!(greet(&mut test)["reason"], "noPairing", "the fourth try of three");
    test.session.open_pairing(pairing(2), test.now);
    test.wait(301);
    assert_eq!(greet(&mut test)["reason"], "noPairing");
}
