//! Going on with a long conversation: how long a client waits for it, loaded or not, and the memory of an idle thread.

use std::sync::Arc;
use std::time::Instant;

use crate::Result;
use crate::cases::turns::{COMPLETED, begin_turn};
use crate::client::Client;
use crate::model::Model;
use crate::plan::Plan;
use crate::process::{Contestant, Transport};
use crate::report::{Figure, Goal, Unit};

/// Turns of the long conversation: two items each.
const TURNS: usize = 5_000;

/// Threads that are loaded and do nothing.
const IDLE_THREADS: usize = 500;

/// The answer to a resume, cold, loaded, and with all turns; and the memory of a loaded thread.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut figures = Vec::from(long_conversation(plan)?);
    figures.push(idle_threads(plan)?);
    Ok(figures)
}

fn long_conversation(plan: &Plan) -> Result<[Figure; 3]> {
    let goal = |name: &str, limit: f64| Figure::new(name, Unit::Millis).goal(Goal::AtMost(limit));
    let mut figures = [
        goal("resume of 10,000 items without turns, not loaded", 20.0).in_chart(),
        goal("resume of 10,000 items without turns, loaded", 5.0).in_chart(),
        Figure::new("resume of 10,000 items with all turns, loaded", Unit::Millis),
    ];
    let (model, home) = (Model::start()?, Arc::new(tempfile::tempdir()?));
    model.furnish(home.path(), Contestant::Ours)?;
    let start = || plan.launcher.start_in(home.clone(), Contestant::Ours, Transport::Unix);
    let mut server = start()?;
    let thread = {
        let mut client = server.connect()?;
        let thread = client.start_thread()?;
        for _ in 0..plan.samples(TURNS) {
            begin_turn(&mut client, &thread)?;
            let mut question = model.asked()?;
            let word = question.delta("word ");
            question.write(word.as_bytes())?;
            question.finish()?;
            client.wait_for(COMPLETED, |_| ())?;
        }
        thread
    };
    for _ in 0..plan.rounds {
        server.stop()?;
        server = start()?;
        let mut client = server.connect()?;
        for (figure, exclude) in figures.iter_mut().zip([true, true, false]) {
            figure.record(Contestant::Ours, resume(&mut client, &thread, exclude)?);
        }
    }
    Ok(figures)
}

/// Milliseconds until the answer is there.
fn resume(client: &mut Client, thread: &str, exclude_turns: bool) -> Result<f64> {
    let params = format!(r#"{{"threadId":"{thread}","excludeTurns":{exclude_turns}}}"#);
    let start = Instant::now();
    client.send(&format!(r#"{{"id":3,"method":"thread/resume","params":{params}}}"#))?;
    client.wait_for(br#""id":3"#, |_| ())?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn idle_threads(plan: &Plan) -> Result<Figure> {
    let mut figure =
        Figure::new("memory of a loaded thread that does nothing", Unit::Kibibytes).goal(Goal::AtMost(64.0));
    for _ in 0..plan.rounds {
        let mut server = plan.launcher.start(Contestant::Ours, Transport::Unix)?;
        let mut client = server.connect()?;
        client.start_thread()?;
        let before = server.allocated_bytes()?;
        for _ in 0..IDLE_THREADS {
            client.start_thread()?;
        }
        let grown = server.allocated_bytes()?.saturating_sub(before);
        figure.record(Contestant::Ours, grown as f64 / 1024.0 / IDLE_THREADS as f64);
    }
    Ok(figure)
}
