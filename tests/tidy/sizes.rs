//! Files of a readable size, without paths of the machine on which they were written.

use crate::tree::{files, files_with, refuse, root};

/// Longest source file, in lines. Split a longer one by subject.
const FILE_LINES: usize = 400;

/// Files that may be longer, each with the reason.
const LONGER_FILES: &[(&str, &str)] = &[];

/// Longest comment, in characters with its indentation. `cargo fmt` bounds the width of code, but leaves comments
/// alone.
const COMMENT_WIDTH: usize = 130;

/// Largest README, in bytes. Put what does not fit next to what it describes.
const README_BYTES: usize = 16 * 1024;

#[test]
fn a_source_file_fits_its_subject() {
    let mut faults = Vec::new();
    for file in files_with("rs") {
        let lines = file.text.lines().count();
        let is_listed = LONGER_FILES.iter().any(|(path, _)| *path == file.path);
        match (lines > FILE_LINES, is_listed) {
            (true, false) => faults.push(format!("{} has {lines} lines", file.path)),
            (false, true) => faults.push(format!("{} has only {lines} lines; take it off the list", file.path)),
            _ => {}
        }
    }
    refuse(&faults, &format!("split files over {FILE_LINES} lines by subject"));
}

#[test]
fn comments_are_not_too_wide() {
    let marks = [("rs", "//"), ("toml", "#"), ("sql", "--"), ("service", "#")];
    // Neither the row of a table nor an address can be wrapped.
    let cannot_be_wrapped = |line: &str| line.contains("! |") || line.contains("/ |") || line.contains("://");
    let mut faults = Vec::new();
    for (extension, mark) in marks {
        for file in files_with(extension) {
            for (number, line) in file.text.lines().enumerate() {
                let width = line.chars().count();
                if line.trim_start().starts_with(mark) && width > COMMENT_WIDTH && !cannot_be_wrapped(line) {
                    faults.push(format!("{}:{} is {width} characters wide", file.path, number + 1));
                }
            }
        }
    }
    refuse(&faults, &format!("wrap comments at {COMMENT_WIDTH} characters"));
}

#[test]
fn the_readme_stays_a_front_door() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(readme.len() <= README_BYTES, "README.md has {} bytes; {README_BYTES} are its limit", readme.len());
}

#[test]
fn no_file_names_a_path_of_this_machine() {
    let home = std::env::var("HOME").ok().filter(|home| home.len() > 1);
    let places = [Some(root().display().to_string()), home.map(|home| format!("{home}/"))];
    let mut faults = Vec::new();
    for file in files() {
        for place in places.iter().flatten().filter(|place| file.text.contains(place.as_str())) {
            faults.push(format!("{} names {place}", file.path));
        }
    }
    refuse(&faults, "use a path that is right on every machine");
}
