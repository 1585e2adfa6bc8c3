//! What a turn has changed in files, as clients are told it by `turn/diff/updated`.
//!
//! In a git work tree git says it: of patches, of commands, and of whatever else has changed there meanwhile. A program that
//! stays until the end of the turn ([`observer`], [`crate::work_tree`]) remembers what was there before the first command or
//! patch, and is asked again after each. Only the first question delays anything: a command must not begin before the
//! program knows what was there. Later ones go on beside the next call to the model; several that come at once are one.
//! Commands that are known to be harmless need no question at all.
//!
//! Elsewhere it is what patches have changed ([`Patched`]): outside of work trees, where commands cannot be confined, where
//! git is missing, fails or takes too long. No turn fails because of that, and it is a line in the log at `debug`. Such
//! work trees are left alone for a while ([`left_alone`]).
//!
//! | file | what it is |
//! |---|---|
//! | [`observer`] | the program that tells what has changed in a work tree |
//! | [`left_alone`] | work trees in which git is not asked |

mod left_alone;
mod observer;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use actix_rt::task::spawn_blocking;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::messages::{Report, TurnEvent};
use super::shell::ShellHandle;
use super::task::TurnSetup;
use crate::command::Rules;
use crate::patch::{Patched, Planned};
use crate::project::is_project_marker;
use observer::{NoHelp, Observer};

pub use left_alone::LeftAlone;

/// Bytes of changes that clients are shown at most.
pub(super) const SHOWN_BYTES: usize = crate::work_tree::DIFF_BYTES;

/// What a turn has changed in files.
pub(super) struct Changes {
    setup: Arc<TurnSetup>,
    turn_id: Arc<str>,
    thread: Recipient<Report>,
    rules: Rules,
    cwd: PathBuf,
    /// What patches have changed.
    patched: RefCell<Patched>,
    /// The work tree, where git tells what has changed there. Held while it is asked, and while clients are told.
    tree: Mutex<Option<Tree>>,
    /// It was decided who tells.
    begun: OnceCell<()>,
    /// Something may have changed since the last look began.
    wanted: Cell<bool>,
    /// The numbers of commands that may change files.
    followed: RefCell<HashSet<u32>>,
    /// How many of them run.
    running: Cell<usize>,
    /// What clients were told last.
    told: RefCell<String>,
    /// Cancelled when nothing is told any more.
    over: CancellationToken,
}

/// A git work tree.
struct Tree {
    /// Where it is, without links.
    root: PathBuf,
    observer: Observer,
}

impl Changes {
    /// Nothing yet, in a turn in `cwd` whose commands have these rules.
    pub(super) fn new(
        setup: Arc<TurnSetup>,
        turn_id: Arc<str>,
        thread: Recipient<Report>,
        rules: Rules,
        cwd: PathBuf,
    ) -> Rc<Self> {
        Rc::new(Self {
            setup,
            turn_id,
            thread,
            rules,
            cwd,
            patched: RefCell::new(Patched::new(SHOWN_BYTES)),
            tree: Mutex::default(),
            begun: OnceCell::new(),
            wanted: Cell::default(),
            followed: RefCell::default(),
            running: Cell::default(),
            told: RefCell::default(),
            over: CancellationToken::new(),
        })
    }

    /// Something is about to change files. Returns when it may: what is there now is known, or cannot be, or `stop` is
    /// cancelled.
    pub(super) async fn begin(&self, stop: &CancellationToken) {
        let begun = self.begun.get_or_init(|| async {
            let mut tree = self.tree.lock().await;
            *tree = self.open().await;
        });
        tokio::select! {
            () = stop.cancelled() => {}
            _ = begun => {}
        }
    }

    /// A patch was written.
    pub(super) fn patched(self: &Rc<Self>, planned: &Planned) {
        self.patched.borrow_mut().add(planned);
        self.look();
    }

    /// A command runs that may change files: clients are told when it has ended.
    pub(super) fn follow(self: &Rc<Self>, shell: &ShellHandle) {
        if !self.followed.borrow_mut().insert(shell.number) {
            return;
        }
        let (changes, ended) = (self.clone(), shell.ended.clone());
        self.running.set(self.running.get() + 1);
        actix_rt::spawn(async move {
            tokio::select! {
                () = ended.cancelled() => {}
                () = changes.over.cancelled() => {}
            }
            changes.running.set(changes.running.get() - 1);
            changes.look();
        });
    }

    /// Files may have changed: clients are told soon, if they have.
    pub(super) fn look(self: &Rc<Self>) {
        if self.over.is_cancelled() || self.wanted.replace(true) {
            return;
        }
        let changes = self.clone();
        actix_rt::spawn(async move {
            let mut tree = changes.tree.lock().await;
            if changes.wanted.replace(false) && !changes.over.is_cancelled() {
                changes.tell(&mut tree).await;
            }
        });
    }

    /// The turn ends. Returns when clients were told what it has changed.
    pub(super) async fn finish(&self) {
        let mut tree = self.tree.lock().await;
        self.over.cancel();
        if self.wanted.replace(false) || self.running.get() > 0 {
            self.tell(&mut tree).await;
        }
        *tree = None;
    }

    /// Nothing is told any more.
    pub(super) fn abandon(&self) {
        self.over.cancel();
    }

    /// Lets git remember what is there.
    async fn open(&self) -> Option<Tree> {
        if self.setup.limits.changes_milliseconds.duration().is_zero() {
            return None;
        }
        let cwd = self.cwd.clone();
        let found = spawn_blocking(move || Some(root_of(&cwd.canonicalize().ok()?)?.to_owned()));
        let root = found.await.ok().flatten()?;
        if self.setup.left_alone.holds(&root) || !self.setup.runner.can_confine().await {
            return None;
        }
        let observer = Observer::start(&self.setup.runner, &self.rules, root.clone());
        match self.in_time(observer).await {
            Ok(observer) => Some(Tree { root, observer }),
            Err(reason) => {
                self.leave_alone(root, &reason);
                None
            }
        }
    }

    /// Waits for git.
    async fn in_time<T>(&self, help: impl Future<Output = Result<T, NoHelp>>) -> Result<T, NoHelp> {
        let limit = self.setup.limits.changes_milliseconds.duration();
        timeout(limit, help).await.unwrap_or(Err(NoHelp::TooLate(limit)))
    }

    fn leave_alone(&self, root: PathBuf, reason: &NoHelp) {
        log::debug!("only patches are shown in turn {}, because git does not help: {reason}", self.turn_id);
        self.setup.left_alone.add(root);
    }

    /// Tells clients what has changed, unless they know.
    async fn tell(&self, tree: &mut Option<Tree>) {
        // What is too large is not shown.
        let Some(diff) = self.diff(tree).await else { return };
        if *self.told.borrow() == diff {
            return;
        }
        self.told.replace(diff.clone());
        // Where the thread is gone nobody can be told; the turn notices that by itself.
        let _ =
            self.thread.send(Report { turn_id: self.turn_id.clone(), events: vec![TurnEvent::Changed(diff)] }).await;
    }

    async fn diff(&self, tree: &mut Option<Tree>) -> Option<String> {
        if let Some(Tree { root, observer }) = tree {
            match self.in_time(observer.look()).await {
                Ok(diff) => return Some(diff? + &self.patched.borrow().git_diff_outside(root).unwrap_or_default()),
                Err(reason) => self.leave_alone(root.clone(), &reason),
            }
            *tree = None;
        }
        self.patched.borrow().git_diff(root_of(&self.cwd).unwrap_or(&self.cwd))
    }
}

/// The root of the work tree or the project that `folder` lies in.
fn root_of(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|ancestor| is_project_marker(&ancestor.join(".git")))
}
