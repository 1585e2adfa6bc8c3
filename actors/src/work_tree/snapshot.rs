//! The base, and looks at what differs from it.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::fs::{Access, access};

use super::answer::{Answer, DIFF_BYTES};
use super::git::{Git, GitError};
use super::repository::Repository;

/// Bytes of a file at most; a larger one counts as unchanged. As many as a patch may change.
const FILE_BYTES: u64 = 8 << 20;

/// Bytes of all files together that differ from the index, or from the base, at most.
const ALL_BYTES: u64 = 64 << 20;

/// Bytes of the names of those files at most.
const NAME_BYTES: usize = 1 << 20;

/// Bytes of a line with the id of an object at most.
const ID_BYTES: usize = 128;

/// Names that git knows and that differ from an index, and how. Only times and sizes are compared. What is inside of
/// submodules does not count.
const DIFFERENT: &[&str] = &["diff-files", "--name-status", "--no-renames", "--ignore-submodules=dirty", "-z"];

/// Names that git does not know, and is not to ignore.
const UNKNOWN: &[&str] = &["ls-files", "--others", "--exclude-standard", "-z"];

/// Shows how an index differs from a tree, whatever the repository's configuration says of diffs.
const SHOW: &[&str] = &[
    "diff-index",
    "--cached",
    "--patch",
    "--full-index",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--submodule=short",
    "--ignore-submodules=dirty",
    "--src-prefix=a/",
    "--dst-prefix=b/",
];

/// A work tree as it was at a moment.
pub(super) struct Base<'a> {
    /// Git with an index that says what was there.
    git: Git<'a>,
    /// The folder for everything that is kept.
    folder: &'a Path,
    /// The id of its tree. It is asked for late, because whoever waits for the base does not need it.
    tree: OnceCell<String>,
}

/// What differs from an index.
#[derive(Default)]
struct Difference {
    /// Files with another content, and new ones.
    there: BTreeSet<OsString>,
    /// Files that are gone.
    gone: BTreeSet<OsString>,
}

impl<'a> Base<'a> {
    /// Takes the work tree of `repository` as it is now. What it needs is kept in `folder`.
    ///
    /// # Errors
    /// Git does not help, or too much is not in the repository.
    pub(super) fn of(repository: &'a Repository, folder: &'a Path) -> Result<Self, GitError> {
        let git = Git::new(repository, folder.join("base"), &repository.index, &[&repository.objects])?;
        let mut difference = git.difference()?;
        if !difference.there.is_empty() {
            // Often only the times differ, as in a copy of a repository.
            git.refresh();
            difference = git.difference()?;
        }
        git.take(&difference)?;
        Ok(Self { git, folder, tree: OnceCell::new() })
    }

    /// What has changed since.
    ///
    /// # Errors
    /// Git does not help, or too much has changed.
    pub(super) fn look(&self) -> Result<Answer, GitError> {
        let (folder, repository) = (self.folder.join("look"), self.git.repository());
        let stores: [&Path; 2] = [&self.git.objects(), &repository.objects];
        let answer = Git::new(repository, folder.clone(), &self.git.index(), &stores).and_then(|git| self.diff(&git));
        fs::remove_dir_all(&folder)?;
        answer
    }

    /// What differs, as `git` finds it.
    fn diff(&self, git: &Git<'_>) -> Result<Answer, GitError> {
        let difference = git.difference()?;
        if difference.there.is_empty() && difference.gone.is_empty() {
            return Ok(Answer::Diff(String::new()));
        }
        git.take(&difference)?;
        let shown = match git.run(&[SHOW, &[self.tree()?]].concat(), DIFF_BYTES) {
            Ok(shown) => shown,
            Err(GitError::TooMuch { .. }) => return Ok(Answer::TooLarge),
            Err(error) => return Err(error),
        };
        let text = String::from_utf8_lossy(&shown).into_owned();
        Ok(if text.len() > DIFF_BYTES { Answer::TooLarge } else { Answer::Diff(text) })
    }

    fn tree(&self) -> Result<&str, GitError> {
        if let Some(tree) = self.tree.get() {
            return Ok(tree);
        }
        // Objects that a partial clone lacks are not fetched.
        let tree = self.git.run(&["write-tree", "--missing-ok"], ID_BYTES)?;
        Ok(self.tree.get_or_init(|| String::from_utf8_lossy(&tree).trim_end().to_owned()))
    }
}

impl Git<'_> {
    /// What differs from the index and is to be shown.
    fn difference(&self) -> Result<Difference, GitError> {
        let (different, unknown) = (self.begin(DIFFERENT)?, self.begin(UNKNOWN)?);
        let (different, unknown) = (different.finish(NAME_BYTES)?, unknown.finish(NAME_BYTES)?);
        let mut difference = Difference::default();
        let mut bytes = 0;
        let mut add = |name: &[u8]| -> Result<(), GitError> {
            let Some(size) = self.readable_bytes(name) else { return Ok(()) };
            bytes += size;
            if bytes > ALL_BYTES {
                return Err(GitError::TooMany(format!("what differs has more than {ALL_BYTES} bytes")));
            }
            difference.there.insert(OsString::from_vec(name.to_vec()));
            Ok(())
        };
        let mut words = different.split(|byte| *byte == 0);
        while let (Some(status), Some(name)) = (words.next(), words.next()) {
            if status == b"D" {
                difference.gone.insert(OsString::from_vec(name.to_vec()));
            } else {
                add(name)?;
            }
        }
        // What ends with a slash is a repository of its own.
        let names = unknown.split(|byte| *byte == 0).filter(|name| !name.is_empty() && !name.ends_with(b"/"));
        for name in names {
            add(name)?;
        }
        Ok(difference)
    }

    /// Compares contents with those in the index where times differ.
    fn refresh(&self) {
        // It also fails where contents differ, which is told later.
        let _ = self.run(&["update-index", "-q", "--refresh"], NAME_BYTES);
    }

    /// Makes the index say what is in the files.
    fn take(&self, difference: &Difference) -> Result<(), GitError> {
        if !difference.gone.is_empty() {
            self.feed(&["update-index", "--force-remove", "-z", "--stdin"], &difference.gone)?;
        }
        if !difference.there.is_empty() {
            self.feed(&["update-index", "--add", "--remove", "--replace", "-z", "--stdin"], &difference.there)?;
        }
        Ok(())
    }

    /// The size of what is to be taken into the index; `None` where it is left as it was: it is too large, nobody may read
    /// it, or it is neither a file nor a link.
    fn readable_bytes(&self, name: &[u8]) -> Option<u64> {
        let path = self.repository().root.join(OsStr::from_bytes(name));
        let about = match fs::symlink_metadata(&path) {
            Ok(about) => about,
            // It has just gone.
            Err(_) => return Some(0),
        };
        let kind = about.file_type();
        // A directory is a submodule, of which there is only a commit to know.
        if kind.is_symlink() || kind.is_dir() {
            return Some(0);
        }
        (kind.is_file() && about.len() <= FILE_BYTES && access(&path, Access::READ_OK).is_ok()).then_some(about.len())
    }
}
