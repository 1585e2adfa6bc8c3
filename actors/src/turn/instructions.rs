//! The `AGENTS.md` files that tell the model how people want work done in a place.
//!
//! One file counts per folder: `AGENTS.override.md`, else `AGENTS.md`, else the first of the configured fallback names.
//! The user's own file in `$CODEX_HOME` comes first, then those of the project from its root down to the working
//! directory, so that the most specific one has the last word (spec: turns 1.4).

use std::io::Read;
use std::path::{Path, PathBuf};

use plain_file::Links;

use crate::project::{Bounds, project_folders};

/// The names that count in a folder, in the order in which they are looked for.
const NAMES: [&str; 2] = ["AGENTS.override.md", "AGENTS.md"];

/// Where to look, and how much to read.
#[derive(Clone, Debug)]
pub struct InstructionSearch {
    /// The user's own folder.
    pub codex_home: PathBuf,
    /// The working directory of the thread.
    pub cwd: PathBuf,
    /// A folder that holds one of these names is the root of a project.
    pub root_markers: Vec<String>,
    /// Further file names, for folders that have neither of the usual ones.
    pub fallback_names: Vec<String>,
    /// Bytes of all files of the project together. The file in `$CODEX_HOME` has as many for itself.
    pub max_bytes: usize,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Instructions {
    /// The text for the model; `None` where there is no file.
    pub text: Option<String>,
    /// The files that the text was made from, in its order.
    pub sources: Vec<PathBuf>,
    /// The files that did not fit, or fitted only in part.
    pub shortened: Vec<PathBuf>,
}

struct Found {
    path: PathBuf,
    text: String,
    /// The file is longer than what was read of it.
    cut: bool,
}

impl InstructionSearch {
    /// Reads the files. Where they do not fit together, the deepest ones are kept, because they are the most specific.
    ///
    /// Blocks; files that cannot be read as text count as absent.
    pub fn run(&self) -> Instructions {
        let home = self.in_folder(&self.codex_home, None, self.max_bytes);
        let mut left = self.max_bytes;
        let (mut project, mut shortened) = (Vec::new(), Vec::new());
        let folders = self.folders();
        let bounds = folders.last().and_then(|root| Bounds::of(root, &self.codex_home));
        for folder in &folders {
            let Some(found) = self.in_folder(folder, bounds.as_ref(), left) else { continue };
            left -= found.text.len();
            if found.cut {
                shortened.push(found.path.clone());
            }
            if !found.text.is_empty() {
                project.push(found);
            }
        }
        project.reverse();
        let used: Vec<Found> = home.into_iter().filter(|home| !home.text.is_empty()).chain(project).collect();
        Instructions {
            text: (!used.is_empty()).then(|| self.joined(&used)),
            sources: used.into_iter().map(|found| found.path).collect(),
            shortened,
        }
    }

    /// The folders of the project, deepest first, without the user's own.
    fn folders(&self) -> Vec<&Path> {
        let folders = project_folders(&self.cwd, &self.root_markers).into_iter();
        folders.filter(|folder| *folder != self.codex_home).collect()
    }

    fn in_folder(&self, folder: &Path, bounds: Option<&Bounds>, max_bytes: usize) -> Option<Found> {
        let names = NAMES.into_iter().chain(self.fallback_names.iter().map(String::as_str));
        names.map(|name| folder.join(name)).find_map(|path| {
            let (text, cut) = read_text(&path, bounds, max_bytes)?;
            (cut || !text.trim().is_empty()).then_some(Found { path, text, cut })
        })
    }

    fn joined(&self, used: &[Found]) -> String {
        let mut text = format!("Instructions for work in {}", self.cwd.display());
        for Found { path, text: content, .. } in used {
            text.push_str(&format!(
                "\n\n<INSTRUCTIONS from=\"{}\">\n{}\n</INSTRUCTIONS>",
                path.display(),
                content.trim()
            ));
        }
        text
    }
}

/// At most `max_bytes` of the file as text, and whether there is more of it. Bytes that are not UTF-8 are replaced.
fn read_text(path: &Path, bounds: Option<&Bounds>, max_bytes: usize) -> Option<(String, bool)> {
    let file = plain_file::open(path, Links::Follow).ok()?;
    if bounds.is_some_and(|bounds| !bounds.contain(&file, path)) {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(max_bytes as u64 + 1).read_to_end(&mut bytes).ok()?;
    let cut = bytes.len() > max_bytes;
    bytes.truncate(max_bytes);
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if cut {
        // A last line that was cut could say the opposite of what it says whole.
        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
    }
    // A replacement takes more bytes than what it replaces.
    let end = (0..=text.len().min(max_bytes)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    Some((text, cut))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A home folder, and a project with the folders `a/b` below its root.
    fn place() -> (tempfile::TempDir, InstructionSearch) {
        let dir = tempfile::tempdir().unwrap();
        let (home, root) = (dir.path().join("home"), dir.path().join("project"));
        fs::create_dir_all(&home).unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir_all(root.join(".git/objects")).unwrap();
        let search = InstructionSearch {
            codex_home: home,
            cwd: root.join("a/b"),
            root_markers: vec![".git".to_owned()],
            fallback_names: vec!["CLAUDE.md".to_owned()],
            max_bytes: 100,
        };
        (dir, search)
    }

    fn names(paths: &[PathBuf], dir: &tempfile::TempDir) -> Vec<String> {
        paths.iter().map(|path| path.strip_prefix(dir.path()).unwrap().display().to_string()).collect()
    }

    #[test]
    fn files_are_joined_from_the_home_down_to_the_working_directory() {
        let (dir, search) = place();
        assert_eq!(search.run(), Instructions::default());
        for (file, text) in [
            ("home/AGENTS.md", "from home"),
            ("project/AGENTS.md", "hidden by the override"),
            ("project/AGENTS.override.md", "from the root"),
            ("project/a/CLAUDE.md", "a fallback"),
            ("project/a/b/AGENTS.md", "deepest"),
            ("AGENTS.md", "outside the project"),
        ] {
            fs::write(dir.path().join(file), text).unwrap();
        }
        let found = search.run();
        let sources = names(&found.sources, &dir);
        let expected = ["home/AGENTS.md", "project/AGENTS.override.md", "project/a/CLAUDE.md", "project/a/b/AGENTS.md"];
        assert_eq!(sources, expected);
        let text = found.text.unwrap();
        let places = ["from home", "from the root", "a fallback", "deepest"].map(|part| text.find(part).unwrap());
        assert!(places.is_sorted(), "{text}");
        assert!(!text.contains("hidden") && !text.contains("outside"), "{text}");
    }

    #[test]
    fn over_the_limit_the_deepest_files_are_kept_and_the_others_are_named() {
        let (dir, search) = place();
        fs::write(dir.path().join("project/AGENTS.md"), "r".repeat(50)).unwrap();
        fs::write(dir.path().join("project/a/AGENTS.md"), format!("first\n{}\n", "m".repeat(60))).unwrap();
        fs::write(dir.path().join("project/a/b/AGENTS.md"), "d".repeat(60)).unwrap();
        let found = search.run();
        assert_eq!(names(&found.sources, &dir), ["project/a/AGENTS.md", "project/a/b/AGENTS.md"]);
        assert_eq!(names(&found.shortened, &dir), ["project/a/AGENTS.md", "project/AGENTS.md"]);
        let text = found.text.unwrap();
        assert!(text.contains("first") && !text.contains("mm"), "a file is cut between lines: {text}");
    }

    #[test]
    fn without_a_project_only_the_working_directory_counts() {
        let (dir, mut search) = place();
        fs::write(dir.path().join("project/a/AGENTS.md"), "above").unwrap();
        search.root_markers = vec![".hg".to_owned()];
        assert_eq!(search.run().text, None);
        // What stands in for a protected name while a command runs, so that a command cannot plant instructions above.
        fs::create_dir(dir.path().join(".hg")).unwrap();
        assert_eq!(search.run().text, None);
        fs::write(dir.path().join(".hg/requires"), "").unwrap();
        assert!(search.run().text.is_some());
    }

    #[test]
    fn a_link_in_a_project_does_not_lead_out_of_it() {
        let (dir, search) = place();
        fs::write(dir.path().join("home/auth.md"), "a secret").unwrap();
        fs::write(dir.path().join("other.md"), "of another project").unwrap();
        fs::write(dir.path().join("project/token"), "no instructions").unwrap();
        fs::write(dir.path().join("project/guide.md"), "the guide").unwrap();
        let link = dir.path().join("project/a/AGENTS.md");
        for (target, text) in [
            ("home/auth.md", None),
            ("other.md", None),
            ("project/token", None),
            ("project/guide.md", Some("the guide")),
        ] {
            std::os::unix::fs::symlink(dir.path().join(target), &link).unwrap();
            let found = search.run().text;
            assert_eq!(found.is_some(), text.is_some(), "{target}");
            assert!(found.unwrap_or_default().contains(text.unwrap_or_default()));
            fs::remove_file(&link).unwrap();
        }
        // The user's own file may be anywhere.
        std::os::unix::fs::symlink(dir.path().join("other.md"), dir.path().join("home/AGENTS.md")).unwrap();
        assert!(search.run().text.unwrap().contains("of another project"));
    }

    #[test]
    fn what_is_not_a_plain_file_is_passed_over() {
        let (dir, search) = place();
        fs::create_dir(dir.path().join("project/a/b/AGENTS.md")).unwrap();
        fs::write(dir.path().join("project/a/b/CLAUDE.md"), b"text with a \xff byte").unwrap();
        assert!(search.run().text.unwrap().contains("text with a \u{fffd} byte"));
    }
}
