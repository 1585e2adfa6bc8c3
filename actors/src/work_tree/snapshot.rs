//! The base, and looks at what differs from it.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

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
    root: &'a Path,
    repository: Repository,
    /// The folder for everything that is kept.
    folder: &'a Path,
    index: PathBuf,
    objects: PathBuf,
    tree: String,
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
    /// Takes the work tree at `root` as it is now. What it needs is kept in `folder`.
    ///
    /// # Errors
    /// It is none, git does not help, or too much of it is not in the repository.
    pub(super) fn of(root: &'a Path, folder: &'a Path) -> Result<Self, GitError> {
        let repository = Repository::of(root)?;
        let git = Git::new(root, &repository, folder.join("base"), &repository.index, &[&repository.objects])?;
        let mut difference = git.difference()?;
        if !difference.there.is_empty() {
            // Often only the times differ, as in a copy of a repository.
            git.refresh();
            difference = git.difference()?;
        }
        git.take(&difference)?;
        // Objects that a partial clone lacks are not fetched.
        let tree = git.run(&["write-tree", "--missing-ok"], ID_BYTES)?;
        let tree = String::from_utf8_lossy(&tree).trim_end().to_owned();
        let (index, objects) = (git.index(), git.objects());
        Ok(Self { root, repository, folder, index, objects, tree })
    }

    /// What has changed since.
    ///
    /// # Errors
    /// Git does not help, or too much has changed.
    pub(super) fn look(&self) -> Result<Answer, GitError> {
        let folder = self.folder.join("look");
        let stores: [&Path; 2] = [&self.objects, &self.repository.objects];
        let answer = Git::new(self.root, &self.repository, folder.clone(), &self.index, &stores)
            .and_then(|git| git.diff_from(&self.tree));
        fs::remove_dir_all(&folder)?;
        answer
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

    /// What differs from `tree`, which is what the index says.
    fn diff_from(&self, tree: &str) -> Result<Answer, GitError> {
        let difference = self.difference()?;
        if difference.there.is_empty() && difference.gone.is_empty() {
            return Ok(Answer::Diff(String::new()));
        }
        self.take(&difference)?;
        let shown = match self.run(&[SHOW, &[tree]].concat(), DIFF_BYTES) {
            Ok(shown) => shown,
            Err(GitError::TooMuch { .. }) => return Ok(Answer::TooLarge),
            Err(error) => return Err(error),
        };
        let text = String::from_utf8_lossy(&shown).into_owned();
        Ok(if text.len() > DIFF_BYTES { Answer::TooLarge } else { Answer::Diff(text) })
    }

    /// The size of what is to be taken into the index; `None` where it is left as it was: it is too large, nobody may read
    /// it, or it is neither a file nor a link.
    fn readable_bytes(&self, name: &[u8]) -> Option<u64> {
        let path = self.root().join(OsStr::from_bytes(name));
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
