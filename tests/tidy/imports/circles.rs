//! Files that import each other, directly or by way of others.

use std::collections::BTreeSet;

use super::graph::Graph;

/// The largest sets of files of which each reaches each other one.
pub fn circles(graph: &Graph) -> Vec<Vec<&str>> {
    let mut left: BTreeSet<&str> = graph.files().collect();
    let mut circles = Vec::new();
    while let Some(file) = left.pop_first() {
        let reaches_file = |other: &&str| reached(graph, other).contains(file);
        let others = reached(graph, file).into_iter().filter(|other| *other != file).filter(reaches_file);
        let circle: Vec<&str> = std::iter::once(file).chain(others).collect();
        left.retain(|file| !circle.contains(file));
        if circle.len() > 1 {
            circles.push(circle);
        }
    }
    circles
}

/// Every file that an import of `file` leads to, however far away.
fn reached<'a>(graph: &'a Graph, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = graph.imports(file).collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(graph.imports(file));
        }
    }
    reached
}
