//! What whoever runs a relay is told of it.

use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::home::Home;
use crate::support::process::{Ended, Launch};
use crate::support::relay::Relay;
use crate::support::relay::phone::Phone;

fn status(home: &Home, words: &[&str]) -> Ended {
    Launch::at(home).args(&["relay", "status"]).args(words).run()
}

fn read(home: &Home) -> Value {
    let ended = status(home, &["--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

#[test]
fn a_running_relay_tells_its_owner_who_is_there() {
    let relay = Relay::start();
    let home = relay.process.home().clone();
    let mut machine = relay.machine(&relay.account("home"));
    let [first, _second] = [relay.pair(&mut machine), relay.pair(&mut machine)];
    relay.account("empty");
    let _phone = Phone::open(&relay, &first);
    let now = read(&home);
    assert_eq!((&now["running"], &now["url"], &now["tls"]), (&json!(true), &json!(relay.url()), &Value::Null));
    let accounts = json!([{"name": "empty", "tokens": 1, "machines": 0}, {"name": "home", "tokens": 1, "machines": 1}]);
    assert_eq!((&now["accounts"], &now["devices"]), (&accounts, &json!(2)));
    let seen = &now["machines"][0];
    assert_eq!(
        (&seen["machine"]["state"], &seen["devices"], &seen["phones"]),
        (&json!("connected"), &json!(2), &json!(1))
    );
    // It is the digest that the page shows.
    let page: Value = serde_json::from_str(&relay.as_device(&first, "GET", "/api/device").body).expect("JSON");
    assert_eq!(now["page"], page["page"]);
    let text = status(&home, &[]).stdout;
    for words in ["running since", &relay.url(), now["page"].as_str().expect("text"), "connected, 1 of 2 devices here"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    machine.server.process.kill();
    eventually("it is asleep", || read(&home)["machines"][0]["machine"]["state"] == "asleep");
    assert!(read(&home)["machines"][0]["machine"]["since"].is_i64());
}

#[test]
fn without_a_relay_the_status_says_so_by_its_exit_code_too() {
    let home = Home::new();
    for words in [&[][..], &["--json"]] {
        let ended = status(&home, words);
        assert_eq!(ended.code, Some(69), "{}", ended.stdout);
        assert!(ended.stderr.contains("no relay is running"), "{}", ended.stderr);
    }
    let mut relay = Relay::start_in(&home, "http://127.0.0.1:0", &[]);
    assert_eq!(read(&home)["running"], true);
    // What a relay leaves behind that was killed is no relay.
    relay.process.kill();
    assert_eq!(status(&home, &[]).code, Some(69));
    let again = Relay::start_in(&home, "http://127.0.0.1:0", &[]);
    assert_eq!(read(&home)["url"], json!(again.url()));
}

#[test]
fn no_second_relay_uses_the_same_state() {
    let relay = Relay::start();
    let second = Launch::at(relay.process.home()).args(&["relay", "--listen", "http://127.0.0.1:0"]).run();
    assert_eq!(second.code, Some(75), "{}", second.stdout);
    assert!(second.stderr.contains("another relay is running"), "{}", second.stderr);
}
