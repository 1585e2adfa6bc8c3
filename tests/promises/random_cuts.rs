//! Whatever is cut, and whenever (a client, a model, the server by `kill -9`): what clients were told is in the database, and
//! everyone who attaches sees what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::{Client, RpcError, outcome};
use crate::support::model::{End, Model, Reply, Wire};
use crate::support::process::Launch;
use crate::support::server::Server;

/// Where the dice start. Each seed is a life of a server with other cuts.
const SEEDS: [u64; 8] = [1, 2, 3, 7, 42, 99, 1234, 98765];
const TURNS: usize = 8;
const ANSWER: &str = "one two three four five six seven eight nine ten eleven twelve";

/// The same numbers in every run (xorshift).
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What clients were told, by everybody's last word. The database must know all of it.
#[derive(Default)]
struct Told {
    /// Words of the user whose request was acknowledged, with their turns.
    heard: Vec<(String, String)>,
    /// Complete items, by turn and id.
    complete: BTreeMap<(String, String), Value>,
    /// The status of turns that have ended.
    ended: BTreeMap<String, Value>,
}

/// A client that follows one thread, with the turns as it sees them.
struct Follower {
    client: Client,
    thread: String,
    turns: Vec<Value>,
    /// Turns of whose end it was told.
    ended: BTreeSet<String>,
}

impl Follower {
    /// Attaches a client.
    fn attach(server: &Server, thread: &str, told: &mut Told) -> Self {
        let mut follower =
            Self { client: server.client(), thread: thread.to_owned(), turns: Vec::new(), ended: BTreeSet::new() };
        let resumed = follower.ask("thread/resume", json!({"threadId": thread}), told).expect("it is there");
        // What it is told from now on comes after this.
        follower.turns = resumed["thread"]["turns"].as_array().expect("turns").clone();
        follower
    }

    /// Asks, and follows meanwhile.
    fn ask(&mut self, method: &str, params: Value, told: &mut Told) -> Result<Value, RpcError> {
        let id = self.client.send_request(method, params);
        loop {
            let message = self.step(told);
            if message["id"] == id {
                return outcome(message);
            }
        }
    }

    /// Begins a turn: its id.
    fn say(&mut self, words: &str, told: &mut Told) -> String {
        let input = json!([{"type": "text", "text": words}]);
        let params = json!({"threadId": self.thread, "input": input});
        let turn = self.ask("turn/start", params, told).expect("it is taken up")["turn"]["id"].clone();
        let turn = turn.as_str().expect("an id").to_owned();
        told.heard.push((turn.clone(), words.to_owned()));
        turn
    }

    /// Follows until the turn has ended, as it was told or as it saw when it attached.
    fn follow(&mut self, turn: &str, told: &mut Told) {
        let has_ended = |it: &Value| it["id"] == turn && it["status"] != "inProgress";
        while !self.turns.iter().any(has_ended) {
            self.step(told);
        }
    }

    /// Takes in the next message, which comes back.
    fn step(&mut self, told: &mut Told) -> Value {
        let message: Value = serde_json::from_str(&self.client.next_text("the next message")).expect("JSON");
        let params = &message["params"];
        if params["threadId"] != self.thread {
            return message;
        }
        let turn_id = params["turnId"].as_str().or(params["turn"]["id"].as_str()).unwrap_or_default().to_owned();
        let turn = self.turns.iter_mut().find(|turn| turn["id"] == turn_id.as_str());
        match (message["method"].as_str().unwrap_or_default(), turn) {
            ("turn/started", None) => {
                let mut turn = params["turn"].clone();
                turn["items"] = json!([]);
                self.turns.push(turn);
            }
            ("item/started" | "item/completed", Some(turn)) => {
                let items = turn["items"].as_array_mut().expect("items");
                let (item, place) =
                    (&params["item"], items.iter().position(|known| known["id"] == params["item"]["id"]));
                match place {
                    Some(place) => {
                        if message["method"] == "item/completed" {
                            assert_eq!(text(&items[place]), text(item), "every piece was told once");
                        }
                        items[place] = item.clone();
                    }
                    None => items.push(item.clone()),
                }
                if message["method"] == "item/completed" {
                    told.complete.insert((turn_id, item["id"].to_string()), item.clone());
                }
            }
            ("item/agentMessage/delta", Some(turn)) => {
                let mut items = turn["items"].as_array_mut().expect("items").iter_mut();
                let item = items.find(|item| item["id"] == params["itemId"]).expect("it has started");
                item["text"] = json!(format!("{}{}", text(item), params["delta"].as_str().expect("text")));
            }
            ("turn/completed", Some(turn)) => {
                turn["status"] = params["turn"]["status"].clone();
                assert!(self.ended.insert(turn_id.clone()), "turn {turn_id} ended twice");
                told.ended.insert(turn_id, turn["status"].clone());
            }
            _ => {}
        }
        message
    }
}

fn text(item: &Value) -> &str {
    item["text"].as_str().unwrap_or_default()
}

/// A turn as somebody sees it: its id, its status, and id and text of its items.
type SeenTurn = (Value, Value, Vec<(Value, String)>);

/// What a client sees of turns, in a form that can be compared.
fn seen(turns: &[Value]) -> Vec<SeenTurn> {
    let items = |turn: &Value| turn["items"].as_array().expect("items").clone();
    let seen = |item: &Value| (item["id"].clone(), format!("{} {}", item["type"], text(item)));
    turns
        .iter()
        .map(|turn| (turn["id"].clone(), turn["status"].clone(), items(turn).iter().map(seen).collect()))
        .collect()
}

/// Compares what is stored with what anybody was told.
fn check(stored: &[Value], told: &Told) {
    let turn = |id: &str| stored.iter().find(|turn| turn["id"] == id).unwrap_or_else(|| panic!("turn {id} is lost"));
    for (id, words) in &told.heard {
        let items = turn(id)["items"].as_array().expect("items");
        let said = items.iter().filter(|item| item["content"][0]["text"] == words.as_str()).count();
        assert_eq!(said, 1, "{words} in {items:?}");
    }
    for ((id, _), item) in &told.complete {
        let items = turn(id)["items"].as_array().expect("items");
        let kept = items.iter().find(|kept| kept["id"] == item["id"]).unwrap_or_else(|| panic!("{item} is lost"));
        assert_eq!(text(kept), text(item));
    }
    for (id, status) in &told.ended {
        assert_eq!(&turn(id)["status"], status, "turn {id}");
    }
    assert!(stored.iter().all(|turn| turn["status"] != "inProgress"), "nothing runs: {stored:?}");
}

fn live(seed: u64) {
    let (mut dice, mut told) = (Dice(seed), Told::default());
    let model = Model::start();
    let retries = "stream_max_retries = 0\nrequest_max_retries = 0\n";
    let home = crate::support::home::Home::with_config(&format!("{}{retries}", model.config(Wire::Responses)));
    let mut server = Server::unix(Launch::at(&home));
    let thread = server.client().call("thread/start", json!({}))["thread"]["id"].as_str().expect("an id").to_owned();
    // A thread without a turn is attached to as well.
    let mut speaker = Follower::attach(&server, &thread, &mut told);
    for number in 0..TURNS {
        let end = [End::Complete, End::Complete, End::Cut, End::Reset][dice.roll(4) as usize].clone();
        model.always(Reply::text(ANSWER).slowly(Duration::from_millis(2)).end(end));
        let turn = speaker.say(&format!("words {number}"), &mut told);
        for _ in 0..dice.roll(24) {
            if speaker.ended.contains(&turn) {
                break;
            }
            speaker.step(&mut told);
        }
        match dice.roll(3) {
            0 => speaker.follow(&turn, &mut told),
            1 => {
                drop(speaker);
                speaker = Follower::attach(&server, &thread, &mut told);
            }
            _ => {
                server.process.kill();
                server = Server::unix(Launch::at(&home));
                speaker = Follower::attach(&server, &thread, &mut told);
            }
        }
        let mut other = Follower::attach(&server, &thread, &mut told);
        for follower in [&mut speaker, &mut other] {
            follower.follow(&turn, &mut told);
        }
        let read = other.ask("thread/read", json!({"threadId": thread, "includeTurns": true}), &mut told);
        let stored = read.expect("it is there")["thread"]["turns"].as_array().expect("turns").clone();
        check(&stored, &told);
        for (name, follower) in [("the speaker", &speaker), ("who attached last", &other)] {
            assert_eq!(seen(&follower.turns), seen(&stored), "seed {seed}, turn {number}, {name}");
        }
    }
}

#[test]
fn whatever_is_cut_everyone_sees_what_is_stored_and_nothing_acknowledged_is_missing() {
    for seed in SEEDS {
        live(seed);
    }
}
