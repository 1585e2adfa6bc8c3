use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufReader, Cursor, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::*;

/// A work tree, and what is beside it.
struct World {
    place: TempDir,
}

impl World {
    /// A repository without a commit.
    fn new() -> Self {
        let world = Self { place: tempfile::tempdir().unwrap() };
        fs::create_dir_all(world.at("memory")).unwrap();
        world.git(&["init", "-q", "work"]);
        world
    }

    /// A repository with these committed files, whose contents are their names.
    fn with(names: &[&str]) -> Self {
        let world = Self::new();
        names.iter().for_each(|name| world.write(name, format!("{name}\n")));
        world.commit();
        world
    }

    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.place.path().join(path)
    }

    fn work(&self, name: &str) -> PathBuf {
        self.at("work").join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.work(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.work(name)).unwrap();
    }

    fn git(&self, words: &[&str]) {
        assert!(self.may(words), "git {words:?}");
    }

    fn may(&self, words: &[&str]) -> bool {
        let work = Some(self.at("work")).filter(|work| work.exists()).unwrap_or(self.at(""));
        let mut git = Command::new("git");
        git.current_dir(work).args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]);
        git.args(words).output().unwrap().status.success()
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "x"]);
    }

    /// What the program says: each step is done before a look.
    fn answers(&self, steps: &[&dyn Fn()]) -> Vec<Answer> {
        self.answers_at("work", steps)
    }

    fn answers_at(&self, root: &str, steps: &[&dyn Fn()]) -> Vec<Answer> {
        let mut written = Vec::new();
        serve(
            &self.at(root),
            &self.at("memory"),
            BufReader::with_capacity(1, Asking(RefCell::new(steps))),
            &mut written,
        )
        .unwrap();
        assert_eq!(fs::read_dir(self.at("memory")).unwrap().count(), 0, "nothing is left");
        let mut answers = Vec::new();
        let mut rest = written.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let behind = end + 1 + Answer::bytes_behind(&rest[..end]).unwrap();
            answers.push(Answer::read(&rest[..end], &rest[end + 1..behind]).unwrap());
            rest = &rest[behind..];
        }
        answers
    }

    /// The diff after a step.
    fn diff(&self, step: impl Fn()) -> String {
        match self.answers(&[&step]).as_slice() {
            [Answer::Ready, Answer::Diff(diff)] => diff.clone(),
            other => panic!("{other:?}"),
        }
    }
}

/// Does a step whenever the next line is read.
struct Asking<'a>(RefCell<&'a [&'a dyn Fn()]>);

impl Read for Asking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A line of one byte, because one byte is read at a time.
        let steps = *self.0.borrow();
        let Some((step, others)) = steps.split_first() else { return Ok(0) };
        step();
        self.0.replace(others);
        Cursor::new(b"\n").read(buffer)
    }
}

#[test]
fn what_is_changed_added_and_removed_is_shown_as_git_shows_it() {
    let world = World::with(&["a", "b", "c"]);
    let diff = world.diff(|| {
        world.write("a", "new\n");
        world.remove("b");
        world.write("sub/d", "d\n");
        fs::set_permissions(world.work("c"), PermissionsExt::from_mode(0o755)).unwrap();
        symlink("a", world.work("link")).unwrap();
    });
    let expected = "\
diff --git a/a b/a
index 78981922613b2afb6025042ff6bd878ac1994e85..3e757656cf36eca53338e520d134963a44f793f8 100644
--- a/a
+++ b/a
@@ -1 +1 @@
-a
+new
diff --git a/b b/b
deleted file mode 100644
index 61780798228d17af2d34fce4cfbdf35556832472..0000000000000000000000000000000000000000
--- a/b
+++ /dev/null
@@ -1 +0,0 @@
-b
diff --git a/c b/c
old mode 100644
new mode 100755
diff --git a/link b/link
new file mode 120000
index 0000000000000000000000000000000000000000..2e65efe2a145dda7ee51d1741299f848e5bf752e
--- /dev/null
+++ b/link
@@ -0,0 +1 @@
+a
\\ No newline at end of file
diff --git a/sub/d b/sub/d
new file mode 100644
index 0000000000000000000000000000000000000000..4bcfe98e640c8284511312660fb8709b0afa888e
--- /dev/null
+++ b/sub/d
@@ -0,0 +1 @@
+d
";
    assert_eq!(diff, expected);
}

#[test]
fn only_what_has_changed_since_counts() {
    let world = World::with(&["staged", "changed", "gone"]);
    world.write("staged", "before\n");
    world.git(&["add", "staged"]);
    world.write("changed", "before\n");
    world.remove("gone");
    world.write("unknown", "before\n");
    let untouched: &dyn Fn() = &|| {};
    let change: &dyn Fn() = &|| world.write("unknown", "after\n");
    let back: &dyn Fn() = &|| world.write("unknown", "before\n");
    let commit: &dyn Fn() = &|| world.commit();
    let answers = world.answers(&[untouched, change, back, commit]);
    let nothing = Answer::Diff(String::new());
    let [Answer::Ready, first, Answer::Diff(diff), third, fourth] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!((first, third, fourth), (&nothing, &nothing, &nothing));
    assert!(diff.contains("-before\n+after\n") && diff.matches("diff --git").count() == 1, "{diff}");
}

#[test]
fn a_repository_without_a_commit_and_one_that_is_ignored_in_part() {
    let world = World::new();
    world.write(".gitignore", "secret\nbuild/\n");
    let diff = world.diff(|| {
        ["secret", "build/x", "shown"].iter().for_each(|name| world.write(name, "x\n"));
    });
    assert!(diff.starts_with("diff --git a/shown b/shown\nnew file"), "{diff}");
    assert_eq!(diff.matches("diff --git").count(), 1, "{diff}");
}

#[test]
fn files_become_folders_and_folders_files() {
    let world = World::with(&["a", "b/c", "d/e"]);
    let diff = world.diff(|| {
        world.remove("a");
        world.write("a/inner", "x\n");
        fs::remove_dir_all(world.work("b")).unwrap();
        world.write("b", "x\n");
        fs::rename(world.work("d"), world.work("elsewhere")).unwrap();
        symlink("elsewhere", world.work("d")).unwrap();
    });
    let names: Vec<&str> = diff.lines().filter_map(|line| line.strip_prefix("diff --git ")).collect();
    let expected = [
        "a/a b/a",
        "a/a/inner b/a/inner",
        "a/b b/b",
        "a/b/c b/b/c",
        "a/d b/d",
        "a/d/e b/d/e",
        "a/elsewhere/e b/elsewhere/e",
    ];
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
}

#[test]
fn names_are_quoted_as_git_quotes_them() {
    let world = World::new();
    let strange = OsStr::from_bytes(b"not \xff text");
    let diff = world.diff(|| {
        ["with space", "line\nend", "quote\"", "ümlaut"].iter().for_each(|name| world.write(name, "x\n"));
        fs::write(world.at("work").join(strange), "x\n").unwrap();
    });
    for name in ["b/with space\n", "\"b/line\\nend\"\n", "\"b/quote\\\"\"\n", "b/ümlaut\n", "b/not \u{fffd} text\n"] {
        assert!(diff.contains(name), "{name:?} in {diff}");
    }
}

#[test]
fn a_second_work_tree_and_a_submodule_are_work_trees_too() {
    let world = World::with(&["a"]);
    world.git(&["worktree", "add", "-q", "../second"]);
    world.git(&["init", "-q", "../library"]);
    world.git(&["-C", "../library", "commit", "-q", "--allow-empty", "-m", "x"]);
    world.git(&["submodule", "--quiet", "add", "../library", "module"]);
    world.commit();
    for root in ["second", "work/module"] {
        let change: &dyn Fn() = &|| fs::write(world.at(root).join("new"), "x\n").unwrap();
        let answers = world.answers_at(root, &[change]);
        let [Answer::Ready, Answer::Diff(diff)] = answers.as_slice() else { panic!("{answers:?}") };
        assert!(diff.starts_with("diff --git a/new b/new\n"), "{diff}");
    }
    let diff = world.diff(|| {
        world.write("module/other", "x\n");
        world.git(&["init", "-q", "own"]);
        world.write("own/file", "x\n");
    });
    assert_eq!(diff, "", "what is inside of other repositories is theirs");
}

#[test]
fn what_is_too_large_is_left_out_without_being_read() {
    let world = World::with(&["small", "grows"]);
    // Nobody can read so much in the time of a test.
    let grow = |name: &str| fs::File::create(world.work(name)).unwrap().set_len(1 << 42).unwrap();
    grow("giant");
    let diff = world.diff(|| {
        grow("grows");
        grow("another");
        world.write("small", "x\n");
    });
    assert!(diff.starts_with("diff --git a/small b/small\n"), "{diff}");
    assert_eq!(diff.matches("diff --git").count(), 1, "{diff}");
}

#[test]
fn a_diff_that_is_too_large_is_not_told_and_binary_files_are_only_named() {
    let world = World::with(&["a"]);
    let large: &dyn Fn() = &|| world.write("large", "x\n".repeat(3 << 20));
    let binary: &dyn Fn() = &|| world.write("large", vec![0; 6 << 20]);
    let answers = world.answers(&[large, binary]);
    let [Answer::Ready, Answer::TooLarge, Answer::Diff(diff)] = answers.as_slice() else { panic!("{answers:?}") };
    assert!(diff.ends_with("Binary files /dev/null and b/large differ\n"), "{diff}");
    let many: &dyn Fn() = &|| (0..9).for_each(|number| world.write(&format!("{number}"), vec![0; 8 << 20]));
    let answers = world.answers(&[many]);
    assert!(matches!(answers.as_slice(), [Answer::Ready, Answer::Failed(_)]), "{answers:?}");
}

#[test]
fn a_change_of_the_same_size_in_the_same_moment_is_seen() {
    for _ in 0..20 {
        let world = World::with(&["a"]);
        world.write("a", "1\n");
        world.git(&["add", "a"]);
        world.write("a", "2\n");
        let diff = world.diff(|| world.write("a", "3\n"));
        assert!(diff.contains("-2\n+3\n"), "{diff}");
    }
}

#[test]
fn a_copied_repository_and_one_in_the_middle_of_a_merge() {
    let world = World::with(&["a", "b"]);
    world.git(&["checkout", "-q", "-b", "other"]);
    world.write("a", "other\n");
    world.commit();
    world.git(&["checkout", "-q", "-"]);
    world.write("a", "mine\n");
    world.commit();
    assert!(!world.may(&["merge", "-q", "other"]), "it conflicts");
    for name in ["a", "b"] {
        let now = fs::read(world.work(name)).unwrap();
        world.remove(name);
        world.write(name, now);
    }
    let answers = world.answers(&[&|| {}, &|| world.write("a", "both\n")]);
    let [Answer::Ready, Answer::Diff(first), Answer::Diff(second)] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(first, "");
    assert!(second.contains("\n->>>>>>> other\n") && second.contains("\n+both\n"), "{second}");
}

#[test]
fn nothing_is_written_into_the_repository_and_nothing_is_run_that_it_names() {
    let world = World::with(&["a", "b"]);
    let marker = world.at("marker");
    let touch = format!("touch {}; cat", marker.display());
    for setting in [
        "core.fsmonitor",
        "diff.external",
        "diff.x.textconv",
        "diff.x.command",
        "core.pager",
        "core.alternateRefsCommand",
    ] {
        world.git(&["config", setting, &touch]);
    }
    world.git(&["config", "core.hooksPath", "hooks"]);
    world.git(&["config", "core.worktree", "/"]);
    for hook in ["post-index-change", "pre-commit", "reference-transaction"] {
        world.write(&format!("hooks/{hook}"), format!("#!/bin/sh\n{touch}\n"));
        fs::set_permissions(world.work(&format!("hooks/{hook}")), PermissionsExt::from_mode(0o755)).unwrap();
    }
    world.write(".gitattributes", "* diff=x\n");
    let files = || -> BTreeMap<PathBuf, Vec<u8>> {
        let mut folders = vec![world.work(".git")];
        let mut files = BTreeMap::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => drop(files.insert(path.clone(), fs::read(path).unwrap())),
                }
            }
        }
        files
    };
    let before = files();
    let diff = world.diff(|| world.write("a", "new\n"));
    assert!(diff.contains("-a\n+new\n"), "{diff}");
    assert_eq!(files(), before);
    assert!(!marker.exists());
}

#[test]
fn what_is_no_repository_is_told() {
    let world = World::new();
    fs::create_dir_all(world.at("empty/.git/x")).unwrap();
    fs::create_dir_all(world.at("wrong")).unwrap();
    fs::write(world.at("wrong/.git"), "somewhere").unwrap();
    for root in ["empty", "wrong"] {
        let answers = world.answers_at(root, &[]);
        assert!(matches!(answers.as_slice(), [Answer::Failed(_)]), "{answers:?}");
    }
    fs::remove_file(world.work(".git/HEAD")).unwrap();
    let answers = world.answers(&[]);
    assert!(matches!(answers.as_slice(), [Answer::Failed(_)]), "{answers:?}");
}
