//! A turn: from the user's words to the model, from the model's words to those who follow, and many turns at once.
//!
//! The model is part of the measuring process, so what is measured is the server's own: the record of the turn on disk, the
//! request, and each piece of the answer on its way from one socket to the other. The bare floor of a piece is a round trip
//! of the case `round-trip`.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::Result;
use crate::client::Client;
use crate::crowd::{Crowd, Ear};
use crate::frame::bears;
use crate::model::Model;
use crate::plan::{Plan, quantile, take_turns};
use crate::process::{Contestant, Server, Transport};
use crate::report::{Figure, Goal, Unit};

/// One piece of an answer.
const WORD: &str = "abcdefg ";
/// Turns of one piece in each round.
const SHORT_TURNS: usize = 60;
/// Pieces of a long answer.
const PIECES: usize = 60_000;
/// The reference program is told this share of them, because it takes long for all.
const REFERENCE_SHARE: usize = 20;
/// Turns that run at once.
const AT_ONCE: usize = 100;
/// After so many words the model writes to its socket.
const WORDS_PER_WRITE: usize = 64;

const DELTA: &[u8] = br#""item/agentMessage/delta""#;
/// Tells the end of a turn.
pub const COMPLETED: &[u8] = br#""turn/completed""#;

/// The way of a user's words, of a model's word, of many words to one and to ten clients, and the memory of a turn.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut figures = Vec::from(single(plan)?);
    for (clients, goal) in [(1, 50_000.0), (10, 20_000.0)] {
        figures.push(flood(plan, clients, goal)?);
    }
    figures.push(at_once(plan)?);
    Ok(figures)
}

/// A server whose threads this model answers.
struct Side {
    model: Model,
    server: Server,
}

impl Side {
    fn start(plan: &Plan, who: Contestant) -> Result<Self> {
        let model = Model::start()?;
        let home = Arc::new(tempfile::tempdir()?);
        model.furnish(home.path(), who)?;
        let server = plan.launcher.start_in(home, who, Transport::Unix)?;
        Ok(Self { model, server })
    }
}

/// Says something in a new turn of `thread`.
pub fn begin_turn(client: &mut Client, thread: &str) -> Result<()> {
    let params = format!(r#"{{"threadId":"{thread}","input":[{{"type":"text","text":"go"}}]}}"#);
    Ok(client.send(&format!(r#"{{"id":7,"method":"turn/start","params":{params}}}"#))?)
}

fn single(plan: &Plan) -> Result<[Figure; 4]> {
    let goal = |name: &str, limit: f64| Figure::new(name, Unit::Millis).goal(Goal::AtMost(limit));
    let mut figures = [
        goal("turn/start until the model is asked, p50", 3.0).in_chart(),
        goal("turn/start until the model is asked, p99", 10.0),
        goal("a model's word until the client has it, p50", 1.0).in_chart(),
        goal("a model's word until the client has it, p99", 3.0),
    ];
    let mut sides = Vec::new();
    for who in plan.launcher.servers() {
        let mut side = Side::start(plan, who)?;
        let mut client = side.server.connect()?;
        let thread = client.start_thread()?;
        sides.push((who, side, client, thread));
    }
    for round in 0..=plan.rounds {
        take_turns(round as usize, &mut sides, |(who, side, client, thread)| {
            let (mut asked, mut passed) = (Vec::new(), Vec::new());
            for _ in 0..plan.samples(SHORT_TURNS) {
                let start = Instant::now();
                begin_turn(client, thread)?;
                let mut question = side.model.asked()?;
                asked.push(start.elapsed().as_secs_f64() * 1e3);
                // The first word of a message also starts an item, so the second one is measured.
                let word = question.delta(WORD);
                question.write(word.as_bytes())?;
                client.wait_for(DELTA, |_| ())?;
                let start = Instant::now();
                question.write(word.as_bytes())?;
                client.wait_for(DELTA, |_| ())?;
                passed.push(start.elapsed().as_secs_f64() * 1e3);
                question.finish()?;
                client.wait_for(COMPLETED, |_| ())?;
            }
            asked.sort_by(f64::total_cmp);
            passed.sort_by(f64::total_cmp);
            let values = [(&asked, 0.5), (&asked, 0.99), (&passed, 0.5), (&passed, 0.99)];
            // The first round warms up.
            for (figure, (millis, share)) in figures.iter_mut().zip(values).filter(|_| round > 0) {
                figure.record(*who, quantile(millis, share));
            }
            Ok(())
        })?;
    }
    Ok(figures)
}

/// Counts what each client is told of an answer.
struct Counter {
    bytes: Vec<usize>,
    running: usize,
}

impl Ear for Counter {
    fn hear(&mut self, index: usize, text: &[u8]) {
        const MARK: &[u8] = br#""delta":""#;
        if bears(text, DELTA) {
            let start =
                text.windows(MARK.len()).position(|window| window == MARK).map_or(text.len(), |at| at + MARK.len());
            self.bytes[index] += text[start..].iter().take_while(|byte| **byte != b'"').count();
        } else if bears(text, COMPLETED) {
            self.running -= 1;
        }
    }

    fn answer(&mut self, _: usize, _: &mut Client) -> Result<()> {
        Ok(())
    }
}

/// Words a second that each of `clients` is told of one long answer. A client that is told fewer words than the model said
/// is an error. Pieces may be joined on the way, so words count, not messages.
fn flood(plan: &Plan, clients: usize, goal: f64) -> Result<Figure> {
    let name = format!("words of one turn to {clients} clients, to each");
    let mut rate = Figure::new(name, Unit::PerSecond).goal(Goal::AtLeast(goal)).in_chart();
    let mut sides = Vec::new();
    for who in plan.launcher.servers() {
        let mut side = Side::start(plan, who)?;
        let mut members = (0..clients).map(|_| side.server.connect()).collect::<Result<Vec<_>>>()?;
        let thread = members[0].start_thread()?;
        // A thread can be joined once it has had a turn.
        begin_turn(&mut members[0], &thread)?;
        let mut question = side.model.asked()?;
        let word = question.delta(WORD);
        question.write(word.as_bytes())?;
        question.finish()?;
        members[0].wait_for(COMPLETED, |_| ())?;
        for other in &mut members[1..] {
            other.send(&format!(
                r#"{{"id":2,"method":"thread/resume","params":{{"threadId":"{thread}","excludeTurns":true}}}}"#
            ))?;
            other.wait_for(br#""result""#, |_| ())?;
        }
        sides.push((who, side, Crowd::new(members)?, thread));
    }
    for round in 0..plan.rounds {
        take_turns(round as usize, &mut sides, |(who, side, crowd, thread)| {
            // The reference program takes long for as many.
            let share = if *who == Contestant::Reference { REFERENCE_SHARE } else { 1 };
            let words = (plan.samples(PIECES) / share).next_multiple_of(WORDS_PER_WRITE);
            begin_turn(crowd.member(0), thread)?;
            let mut question = side.model.asked()?;
            let bytes = question.delta(WORD).repeat(WORDS_PER_WRITE);
            let start = Instant::now();
            let model = thread::spawn(move || -> std::result::Result<(), String> {
                let written = (0..words / WORDS_PER_WRITE).try_for_each(|_| question.write(bytes.as_bytes()));
                written.and_then(|()| question.finish()).map_err(|error| error.to_string())
            });
            let mut counter = Counter { bytes: vec![0; clients], running: clients };
            while counter.running > 0 {
                crowd.listen(&mut counter)?;
            }
            let seconds = start.elapsed().as_secs_f64();
            model.join().map_err(|_| "the model failed")??;
            if counter.bytes.iter().any(|bytes| *bytes != words * WORD.len()) {
                return Err(format!("of {words} words the clients were told {:?} bytes", counter.bytes).into());
            }
            rate.record(*who, words as f64 / seconds);
            Ok(())
        })?;
    }
    Ok(rate)
}

/// Memory that a running turn takes, while a hundred wait for their model, each on a thread of its own.
fn at_once(plan: &Plan) -> Result<Figure> {
    let mut figure = Figure::new("memory of a running turn, of 100 at once", Unit::Kibibytes).goal(Goal::AtMost(256.0));
    for _ in 0..plan.rounds {
        let mut side = Side::start(plan, Contestant::Ours)?;
        let mut client = side.server.connect()?;
        let threads = (0..AT_ONCE).map(|_| client.start_thread()).collect::<Result<Vec<_>>>()?;
        let before = side.server.resident_bytes()?;
        let mut questions = Vec::new();
        for thread in &threads {
            begin_turn(&mut client, thread)?;
            let mut question = side.model.asked()?;
            let word = question.delta(WORD);
            question.write(word.as_bytes())?;
            client.wait_for(DELTA, |_| ())?;
            questions.push(question);
        }
        let grown = side.server.resident_bytes()?.saturating_sub(before);
        for question in questions {
            question.finish()?;
        }
        for _ in 0..AT_ONCE {
            client.wait_for(COMPLETED, |_| ())?;
        }
        figure.record(Contestant::Ours, grown as f64 / 1024.0 / AT_ONCE as f64);
    }
    Ok(figure)
}
