//! Runs one search. It blocks and runs on a worker thread.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::parallel::in_parts;
use super::query::{Query, Scorer};
use super::tree::{Entry, Tree};
use super::trees::Trees;
use crate::limits::Limits;
use crate::protocol::path::without_dots;
use crate::protocol::search::{FuzzyFileSearchMatchType, FuzzyFileSearchResult};
use crate::workers::Progress;

/// Number of entries between checks for cancellation.
const LOOK_EVERY: usize = 1024;

/// Runs searches and holds their shared state.
pub struct Engine {
    cwd: PathBuf,
    trees: Trees,
    most_results: usize,
}

/// A root and its tree.
struct Searched<'a> {
    root: &'a str,
    tree: Arc<Tree>,
    /// Other roots inside this one, as relative paths; entries below them belong to those roots.
    inner: Vec<String>,
}

/// A match.
#[derive(Clone, Copy)]
struct Match<'a> {
    score: u32,
    path: &'a str,
    root: &'a str,
    directory: bool,
}

impl Engine {
    /// Creates an engine that resolves relative roots against `cwd`.
    pub fn new(cwd: PathBuf, limits: &Limits) -> Self {
        let trees = Trees::new(limits.search_entries, limits.search_cache_bytes);
        Self { cwd, trees, most_results: limits.search_results }
    }

    /// The best results, best first; none once `cancelled`. A root that is not a directory yields none. The trees are
    /// loaded even for an empty query, so that they are ready for the next one.
    pub fn search(
        &self,
        text: &str,
        roots: &[String],
        cancelled: &CancellationToken,
        progress: &Progress,
    ) -> Vec<FuzzyFileSearchResult> {
        let query = Query::new(text);
        let searched = self.searched(roots, cancelled, progress);
        if query.is_empty() {
            return Vec::new();
        }
        let mut best = Vec::new();
        for root in &searched {
            let parts = in_parts(root.tree.entries(), |part| self.best_of(&query, root, part, cancelled));
            best.extend(parts.into_iter().flatten());
            keep_best(&mut best, self.most_results);
        }
        best.sort_unstable_by(order);
        let mut scorer = Scorer::new(&query);
        best.into_iter().map(|found| result(found, &mut scorer)).collect()
    }

    /// The distinct roots with their trees; incomplete if cancelled or given up.
    fn searched<'a>(
        &self,
        roots: &'a [String],
        cancelled: &CancellationToken,
        progress: &Progress,
    ) -> Vec<Searched<'a>> {
        let real: Vec<PathBuf> = roots.iter().map(|root| without_dots(&self.cwd.join(root))).collect();
        let first_of_its_kind = |i: &usize| !real[..*i].contains(&real[*i]);
        let searched = |i: usize| {
            let tree = self.trees.get(&real[i], progress).ok()?;
            Some(Searched { root: &roots[i], tree, inner: inner(&real[i], &real) })
        };
        let wanted = |_: &usize| !cancelled.is_cancelled();
        (0..roots.len()).filter(first_of_its_kind).take_while(wanted).map_while(searched).collect()
    }

    /// The best matches among some entries of a root, with a few others, unordered.
    fn best_of<'a>(
        &self,
        query: &Query,
        root: &'a Searched<'a>,
        entries: &[Entry],
        cancelled: &CancellationToken,
    ) -> Vec<Match<'a>> {
        let mut scorer = Scorer::new(query);
        let mut best = Vec::new();
        for some in entries.chunks(LOOK_EVERY) {
            if cancelled.is_cancelled() {
                return Vec::new();
            }
            for entry in some {
                let (path, directory) = (root.tree.path(*entry), entry.directory);
                if let Some(score) = scorer.score(path, root.tree.name(*entry), directory)
                    && !root.is_inner(path)
                {
                    best.push(Match { score, path, root: root.root, directory });
                }
            }
            keep_best(&mut best, self.most_results);
        }
        best
    }
}

impl Searched<'_> {
    fn is_inner(&self, path: &str) -> bool {
        self.inner.iter().any(|inner| Path::new(path).strip_prefix(inner).is_ok_and(|rest| rest != Path::new("")))
    }
}

/// The roots of `all` inside `root`, as relative paths.
fn inner(root: &Path, all: &[PathBuf]) -> Vec<String> {
    let below = all.iter().filter(|other| *other != root).filter_map(|other| other.strip_prefix(root).ok());
    below.map(|path| path.to_string_lossy().into_owned()).collect()
}

/// Orders by descending score, then by name.
fn order(a: &Match<'_>, b: &Match<'_>) -> Ordering {
    b.score.cmp(&a.score).then_with(|| (a.path, a.root).cmp(&(b.path, b.root)))
}

fn keep_best(found: &mut Vec<Match<'_>>, most: usize) {
    if found.len() > most {
        found.select_nth_unstable_by(most, order);
        found.truncate(most);
    }
}

fn result(found: Match<'_>, scorer: &mut Scorer<'_>) -> FuzzyFileSearchResult {
    let Match { score, path, root, directory } = found;
    FuzzyFileSearchResult {
        root: root.to_owned(),
        path: path.to_owned(),
        match_type: if directory { FuzzyFileSearchMatchType::Directory } else { FuzzyFileSearchMatchType::File },
        file_name: path.rsplit('/').next().unwrap_or(path).to_owned(),
        score,
        indices: Some(scorer.indices(path)),
    }
}
