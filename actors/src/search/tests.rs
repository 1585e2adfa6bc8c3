//! Searches over real directories.

use std::fs;
use std::time::Instant;

use super::*;

#[test]
fn zz_perf() {
    let dir = tempfile::tempdir().unwrap();
    for d in 0..1000 {
        let sub = dir.path().join(format!("package_{}/module_{d}/source", d % 50));
        fs::create_dir_all(&sub).unwrap();
        for f in 0..100 {
            fs::write(sub.join(format!("component_{f}_of_the_thing.rs")), "").unwrap();
        }
    }
    std::thread::sleep(std::time::Duration::from_millis(200));
    let limits =
        Limits { search_entries: 1_000_000, search_cache_bytes: 1 << 28, search_results: 50, ..Limits::tiny() };
    let engine = Engine::new("/".into(), &limits);
    let roots = [dir.path().display().to_string()];
    for query in ["", "", "component", "comp 77", "c7thing", "module_12/comp5", "zzzzq", "e", "pkgmodsrccomp"] {
        for _ in 0..3 {
            let start = Instant::now();
            let found = engine.search(query, &roots, &CancellationToken::new());
            eprintln!("{query:?}: {} found in {:?}", found.len(), start.elapsed());
        }
    }
}
