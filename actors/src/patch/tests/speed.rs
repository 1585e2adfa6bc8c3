//! Large patches.

use std::time::{Duration, Instant};

use super::*;

#[test]
fn a_thousand_hunks_over_a_hundred_files_take_no_time_worth_mentioning() {
    let content: String = (0..1000).map(|line| format!("line {line}\n")).collect();
    let work = Work::with(&[]);
    let mut operations = String::new();
    for file in 0..100 {
        work.put(&format!("f{file}"), content.as_bytes());
        operations.push_str(&format!("*** Update File: f{file}\n"));
        for hunk in 0..10 {
            let line = hunk * 90 + 5;
            operations.push_str(&format!("@@\n line {line}\n-line {}\n+new\n", line + 1));
        }
    }
    let started = Instant::now();
    let planned = work.plan(&operations).unwrap();
    let shown = planned.file_changes();
    planned.write().unwrap();
    let elapsed = started.elapsed();
    assert_eq!(shown.len(), 100);
    assert_eq!(fs::read_to_string(work.path("f99")).unwrap().matches("new\n").count(), 10);
    // Goal: 100 ms when built for use. Here it is neither optimized nor alone.
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
}

#[test]
fn a_patch_made_to_cost_time_does_not() {
    let work = Work::with(&[("a", &"a\n".repeat(200_000)), ("b", &"b\n".repeat(200_000))]);
    let started = Instant::now();
    let hunk = format!("{}-b\n", "-a\n".repeat(100_000));
    let bounds = Bounds { comparisons: 20_000_000, ..Bounds::default() };
    let patch = parse(&whole(&format!("*** Update File: a\n{hunk}")), &bounds).unwrap();
    let error = plan(&patch, &work.root(), &bounds).unwrap_err().to_string();
    assert!(error.contains("takes too long"), "{error}");
    // Blank lines that could belong to several things.
    let blank = "\n".repeat(500_000);
    work.plan(&format!("*** Add File: x\n+x\n{blank}*** Update File: b\n-b\n{blank}")).unwrap();
    // Nothing in common, and no short way from one to the other.
    let new: String = (0..200_000).map(|line| format!("+{}\n", line % 7)).collect();
    git_diff([&work.plan(&format!("*** Add File: b\n{new}")).unwrap()], &work.root());
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}
