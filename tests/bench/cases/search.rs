//! How long a search for files takes in a large project that was searched before.
//!
//! The first search walks the directories; every later one makes sure that they are as they were, and matches all
//! names.

use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use crate::Result;
use crate::frame::Numbered;
use crate::plan::{Plan, quantile, take_turns};
use crate::process::{Contestant, Transport};
use crate::report::{Figure, Goal, Unit};

/// Files in the project,
const FILES: usize = 100_000;
/// in directories of so many files,
const FILES_PER_DIRECTORY: usize = 20;
/// which lie at most so deep.
const DEPTH: usize = 6;

/// What names are made of.
const WORDS: [&str; 32] = [
    "account",
    "admin",
    "api",
    "auth",
    "billing",
    "build",
    "button",
    "cache",
    "client",
    "common",
    "component",
    "config",
    "controller",
    "core",
    "customer",
    "dialog",
    "event",
    "form",
    "handler",
    "index",
    "invoice",
    "layout",
    "model",
    "notification",
    "order",
    "payment",
    "report",
    "service",
    "session",
    "table",
    "user",
    "widget",
];
const EXTENSIONS: [&str; 8] = ["rs", "ts", "tsx", "py", "go", "json", "md", "css"];

/// From easy to hard: the more names match, and the longer the query, the more there is to compare.
const QUERIES: [&str; 6] = [
    "no such file at all",
    "payment_handler_7.rs",
    "billing/invoice/table",
    "srvcusrord",
    "e",
    "accountcontrollercomponentnotificationservice",
];
/// Searches of each query in a round.
const SEARCHES: usize = 6;

/// The usual search, the one that takes longest, and the processor time of one.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let project = tempfile::tempdir()?;
    make_project(project.path())?;
    let mut server = plan.launcher.start(Contestant::Ours, Transport::Unix)?;
    let mut client = server.connect()?;
    let mut searches = QUERIES.map(|query| {
        let params = format!(r#"{{"query":"{query}","roots":["{}"]}}"#, project.path().display());
        (Numbered::new(client.framing(), "fuzzyFileSearch", &params), Vec::new())
    });
    let mut search = |(request, millis): &mut (Numbered, Vec<f64>)| -> Result<()> {
        let start = Instant::now();
        client.write(request.next())?;
        client.wait_for(request.id(), |_| ())?;
        millis.push(start.elapsed().as_secs_f64() * 1e3);
        Ok(())
    };
    let name = |what: &str| format!("search of {} k files, warm, {what}", FILES / 1000);
    let mut median = Figure::new(name("p50"), Unit::Millis).goal(Goal::AtMost(100.0));
    let mut worst = Figure::new(name("p50 of the slowest query"), Unit::Millis).goal(Goal::AtMost(100.0));
    let mut cost = Figure::new(name("processor time of one"), Unit::Millis);

    searches.iter_mut().try_for_each(&mut search)?; // walk, and warm up
    for _ in 0..plan.rounds {
        searches.iter_mut().for_each(|(_, millis)| millis.clear());
        // A search has helping threads, whose time stays with the process when they end.
        let before = server.family_seconds()?;
        for turn in 0..plan.samples(SEARCHES) {
            take_turns(turn, &mut searches, &mut search)?;
        }
        let mut all: Vec<f64> = searches.iter().flat_map(|(_, millis)| millis).copied().collect();
        cost.record(Contestant::Ours, (server.family_seconds()? - before) * 1e3 / all.len() as f64);
        all.sort_by(f64::total_cmp);
        median.record(Contestant::Ours, quantile(&all, 0.5));
        let medians = searches.each_mut().map(|(_, millis)| {
            millis.sort_by(f64::total_cmp);
            quantile(millis, 0.5)
        });
        worst.record(Contestant::Ours, medians.into_iter().fold(0.0, f64::max));
    }
    Ok(vec![median, worst, cost])
}

/// Makes directories of different depths and files with names of two words, the same ones in each run.
fn make_project(root: &Path) -> Result<()> {
    for number in 0..FILES / FILES_PER_DIRECTORY {
        let mut choices = choices(number);
        let depth = 2 + choices() % (DEPTH - 2);
        let mut directory = root.to_owned();
        directory.extend((1..depth).map(|_| WORDS[choices() % WORDS.len()]));
        directory.push(format!("{}-{number}", WORDS[choices() % WORDS.len()]));
        fs::create_dir_all(&directory)?;
        for file in 0..FILES_PER_DIRECTORY {
            let [first, second] = [(); 2].map(|()| WORDS[choices() % WORDS.len()]);
            let extension = EXTENSIONS[choices() % EXTENSIONS.len()];
            File::create(directory.join(format!("{first}_{second}_{file}.{extension}")))?;
        }
    }
    Ok(())
}

/// Numbers that look as if they were chosen at random (SplitMix64), always the same ones for a seed.
fn choices(seed: usize) -> impl FnMut() -> usize {
    let mut state = seed as u64;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ (mixed >> 27)) >> 16) as usize
    }
}
