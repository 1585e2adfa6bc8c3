//! How git is run: with an index and a store of objects in memory, and without what it would run or write besides.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use plain_file::Links;

use super::repository::Repository;

/// Settings that count more than those of the repository. What runs programs is switched off, as far as that is possible.
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "protocol.allow=never",
    // A split index has parts in the repository's folder.
    "core.splitIndex=false",
    // Line ends that would not come back as they were are no reason to leave a file out.
    "core.safecrlf=false",
    // Names in UTF-8 are shown as they are.
    "core.quotePath=false",
    // Memory is bounded, and time is short.
    "core.looseCompression=1",
];

/// The environment of git, besides where things are.
const ENVIRONMENT: &[(&str, &str)] =
    &[("GIT_OPTIONAL_LOCKS", "0"), ("GIT_NO_LAZY_FETCH", "1"), ("GIT_TERMINAL_PROMPT", "0"), ("LC_ALL", "C")];

/// Why git did not help.
#[derive(Debug, thiserror::Error)]
pub(super) enum GitError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("git {command} ended with {status}")]
    Failed { command: String, status: ExitStatus },
    #[error("git {command} wrote more than {most} bytes")]
    TooMuch { command: String, most: usize },
    #[error("{0}")]
    TooMany(String),
}

/// Git in a work tree, with an index and a store of its own.
pub(super) struct Git<'a> {
    repository: &'a Repository,
    /// The folder for what it writes.
    folder: PathBuf,
}

impl<'a> Git<'a> {
    /// Makes `folder`, and in it a copy of `index` and an empty store, which also finds what is in `stores`.
    ///
    /// # Errors
    /// There is no room for it.
    pub(super) fn new(
        repository: &'a Repository,
        folder: PathBuf,
        index: &Path,
        stores: &[&Path],
    ) -> Result<Self, GitError> {
        std::fs::create_dir_all(folder.join("objects/info"))?;
        let lines = stores.iter().flat_map(|store| [store.as_os_str().as_bytes(), b"\n"].concat());
        let mut alternates = plain_file::open_to_write(&folder.join("objects/info/alternates"), Links::Refuse, 0o600)?;
        alternates.write_all(&lines.collect::<Vec<u8>>())?;
        let git = Self { repository, folder };
        copy_index(index, &git.index())?;
        Ok(git)
    }

    pub(super) fn repository(&self) -> &'a Repository {
        self.repository
    }

    pub(super) fn index(&self) -> PathBuf {
        self.folder.join("index")
    }

    pub(super) fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    /// Starts git.
    fn start(&self, words: &[&str], stdin: Stdio) -> io::Result<Child> {
        let mut command = Command::new("git");
        let inherited = std::env::vars_os().map(|(name, _)| name);
        for name in inherited.filter(|name| name.as_bytes().starts_with(b"GIT_")) {
            command.env_remove(name);
        }
        command
            .envs(ENVIRONMENT.iter().copied())
            .env("GIT_DIR", &self.repository.git_dir)
            .env("GIT_WORK_TREE", &self.repository.root)
            .env("GIT_INDEX_FILE", self.index())
            .env("GIT_OBJECT_DIRECTORY", self.objects())
            .env("TMPDIR", &self.folder)
            .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
            .args(self.repository.has_nameless_owner.then_some(["-c", "core.checkStat=minimal"]).into_iter().flatten())
            .args(words)
            .current_dir(&self.repository.root)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    }

    /// Runs git; its output comes back.
    ///
    /// # Errors
    /// It fails, or writes more than `most` bytes.
    pub(super) fn run(&self, words: &[&str], most: usize) -> Result<Vec<u8>, GitError> {
        self.begin(words)?.finish(most)
    }

    /// Starts git; its output can be waited for.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn begin(&self, words: &[&str]) -> Result<Running, GitError> {
        Ok(Running { command: words.join(" "), child: self.start(words, Stdio::null())? })
    }

    /// Runs git, which reads `names`, each with a zero byte behind it.
    ///
    /// # Errors
    /// It fails.
    pub(super) fn feed(&self, words: &[&str], names: &BTreeSet<OsString>) -> Result<(), GitError> {
        let mut git = Running { command: words.join(" "), child: self.start(words, Stdio::piped())? };
        let lines: Vec<u8> = names.iter().flat_map(|name| [name.as_bytes(), b"\0"].concat()).collect();
        let written = git.child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(&lines));
        git.finish(0)?;
        Ok(written?)
    }
}

/// A git that runs. It is ended when this is dropped.
pub(super) struct Running {
    command: String,
    child: Child,
}

impl Running {
    /// Waits for its end; its output comes back.
    ///
    /// # Errors
    /// It fails, or writes more than `most` bytes.
    pub(super) fn finish(mut self, most: usize) -> Result<Vec<u8>, GitError> {
        let command = self.command.clone();
        let mut output = Vec::new();
        if let Some(stdout) = self.child.stdout.take() {
            stdout.take(most as u64 + 1).read_to_end(&mut output)?;
        }
        if output.len() > most {
            return Err(GitError::TooMuch { command, most });
        }
        let status = self.child.wait()?;
        if status.success() { Ok(output) } else { Err(GitError::Failed { command, status }) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes of an index at most: about half a million files.
const INDEX_BYTES: u64 = 64 << 20;

/// Copies an index, with its time: git compares it with those of files, to know which of them may have changed after it was
/// written without another size or time. Where there is none yet, there is none afterwards.
fn copy_index(from: &Path, to: &Path) -> Result<(), GitError> {
    let source = match plain_file::open(from, Links::Follow) {
        Ok(source) => source,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let about = source.metadata()?;
    if about.len() > INDEX_BYTES {
        return Err(GitError::TooMany(format!("the index has more than {INDEX_BYTES} bytes")));
    }
    let mut copy = plain_file::open_to_write(to, Links::Refuse, 0o600)?;
    io::copy(&mut source.take(INDEX_BYTES), &mut copy)?;
    Ok(copy.set_modified(about.modified()?)?)
}
