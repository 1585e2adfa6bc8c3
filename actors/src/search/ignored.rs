//! Ignore rules for searches: `.ignore`, `.gitignore`, `.git/info/exclude`, and the user's global file.
//!
//! The walker of the `ignore` crate could read these files itself, but it would block forever on a named pipe, which a
//! project may contain. The matching is done by the crate.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{DirEntry, Match};

use crate::project::is_project_marker;

/// Largest ignore file that is read, in bytes.
const LARGEST_FILE: usize = 256 * 1024;

/// The rules below one root.
pub struct Ignored {
    above: Option<Arc<Level>>,
    of_the_user: Option<Gitignore>,
    /// Rules by directory. A directory without rules of its own shares those of its parent.
    levels: RwLock<HashMap<PathBuf, Option<Arc<Level>>>>,
}

/// The rules of a directory, linked to those of its parents.
struct Level {
    above: Option<Arc<Level>>,
    ignore: Option<Gitignore>,
    git_ignore: Option<Gitignore>,
    git_exclude: Option<Gitignore>,
    /// Whether a repository starts here: git's rules of parent directories do not apply.
    is_repository: bool,
    /// Whether this is inside a repository: git's rules apply.
    in_repository: bool,
}

impl Ignored {
    /// Reads the rules above `root`, which has no symbolic links, and the user's global file.
    pub fn around(root: &Path) -> Self {
        let mut above = None;
        let directories: Vec<&Path> = root.ancestors().skip(1).collect();
        for directory in directories.into_iter().rev() {
            above = Level::of(directory, above);
        }
        let of_the_user = list_of_the_user().and_then(|file| rules(root, &file));
        Self { above, of_the_user, levels: RwLock::default() }
    }

    /// Whether the walk skips `entry`.
    pub fn contains(&self, entry: &DirEntry) -> bool {
        let Some(directory) = entry.path().parent().filter(|_| entry.depth() > 0) else { return false };
        let level = self.level(directory, entry.depth() - 1);
        let is_directory = entry.file_type().is_some_and(|kind| kind.is_dir());
        self.judge(level.as_deref(), entry.path(), is_directory).is_ignore()
    }

    /// The rules in a directory at `depth` below the root.
    fn level(&self, directory: &Path, depth: usize) -> Option<Arc<Level>> {
        if let Some(level) = self.levels.read().unwrap_or_else(PoisonError::into_inner).get(directory) {
            return level.clone();
        }
        let above = match directory.parent() {
            Some(parent) if depth > 0 => self.level(parent, depth - 1),
            _ => self.above.clone(),
        };
        let level = Level::of(directory, above);
        let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
        levels.insert(directory.to_owned(), level.clone());
        level
    }

    /// For each kind of file, the nearest one with a matching rule decides; the first kind wins.
    fn judge(&self, level: Option<&Level>, path: &Path, is_directory: bool) -> Match<()> {
        let opinion = |rules: &Option<Gitignore>| {
            rules.as_ref().map_or(Match::None, |rules| rules.matched(path, is_directory).map(drop))
        };
        let (mut ignore, mut git_ignore, mut git_exclude) = (Match::None, Match::None, Match::None);
        let mut git_counts = level.is_some_and(|level| level.in_repository);
        let of_the_user = if git_counts { opinion(&self.of_the_user) } else { Match::None };
        let mut next = level;
        while let Some(level) = next {
            ignore = ignore.or(opinion(&level.ignore));
            if git_counts {
                git_ignore = git_ignore.or(opinion(&level.git_ignore));
                git_exclude = git_exclude.or(opinion(&level.git_exclude));
            }
            git_counts &= !level.is_repository;
            next = level.above.as_deref();
        }
        ignore.or(git_ignore).or(git_exclude).or(of_the_user)
    }
}

impl Level {
    /// The rules of `directory`, or those of its parent if it has none.
    fn of(directory: &Path, above: Option<Arc<Self>>) -> Option<Arc<Self>> {
        let dot_git = directory.join(".git");
        let repository = dot_git.metadata().ok().filter(|_| is_project_marker(&dot_git));
        let ignore = rules(directory, &directory.join(".ignore"));
        let git_ignore = rules(directory, &directory.join(".gitignore"));
        let git_exclude = repository
            .as_ref()
            .and_then(|metadata| git_directory(&dot_git, metadata))
            .and_then(|git| rules(directory, &git.join("info/exclude")));
        if repository.is_none() && ignore.is_none() && git_ignore.is_none() {
            return above;
        }
        let is_repository = repository.is_some();
        let in_repository = is_repository || above.as_ref().is_some_and(|above| above.in_repository);
        Some(Arc::new(Self { above, ignore, git_ignore, git_exclude, is_repository, in_repository }))
    }
}

/// The rules in `file` for `directory`. Invalid lines are skipped.
fn rules(directory: &Path, file: &Path) -> Option<Gitignore> {
    let text = read(file)?;
    let mut builder = GitignoreBuilder::new(directory);
    for line in text.trim_start_matches('\u{feff}').lines() {
        if let Err(error) = builder.add_line(None, line) {
            log::debug!("{}: {error}", file.display());
        }
    }
    builder.build().ok().filter(|rules| !rules.is_empty())
}

/// The repository that `.git` is or points to (worktrees and submodules).
fn git_directory(dot_git: &Path, metadata: &Metadata) -> Option<PathBuf> {
    if metadata.is_dir() {
        return Some(dot_git.to_owned());
    }
    let directory = dot_git.parent()?.join(read(dot_git)?.strip_prefix("gitdir:")?.trim());
    let common = read(&directory.join("commondir")).map(|common| directory.join(common.trim()));
    Some(common.unwrap_or(directory))
}

/// The user's global ignore file of git.
pub fn list_of_the_user() -> Option<PathBuf> {
    let [own, shared] = configurations()?;
    let named = [own, shared.clone()].iter().find_map(|file| excludes_file(&read(file)?));
    named.or_else(|| Some(shared.with_file_name("ignore")))
}

/// The user's git configuration files.
pub fn configurations() -> Option<[PathBuf; 2]> {
    let home = std::env::home_dir()?;
    let shared = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| home.join(".config"));
    Some([home.join(".gitconfig"), shared.join("git/config")])
}

/// The value of `core.excludesFile`.
fn excludes_file(configuration: &str) -> Option<PathBuf> {
    let value = configuration.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        key.trim().eq_ignore_ascii_case("excludesfile").then(|| value.trim().trim_matches('"').trim())
    })?;
    match value.strip_prefix("~/") {
        Some(rest) => Some(std::env::home_dir()?.join(rest)),
        None => Some(PathBuf::from(value)).filter(|path| path.is_absolute()),
    }
}

fn read(file: &Path) -> Option<String> {
    // Most directories have none.
    plain_file::read_to_string(file, LARGEST_FILE).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_list_is_named_in_gits_configuration() {
        assert_eq!(excludes_file("[core]\n\tExcludesFile = \"/a/b\"\n"), Some("/a/b".into()));
        assert_eq!(excludes_file("[core]\n\teditor = vi\n"), None);
        let home = std::env::home_dir().unwrap();
        assert_eq!(excludes_file("excludesfile=~/list"), Some(home.join("list")));
    }
}
