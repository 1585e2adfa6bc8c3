//! The shell commands of a thread.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix::prelude::*;
use futures_util::future::join_all;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{EndShell, Shell, ShellTask};
use crate::command::Rules;
use crate::mailbox::start;

/// The first number: with as many digits as its successors, so that it is not mistaken for a count.
const FIRST: u32 = 10_000;

/// How long the end of a command is waited for. The kernel is told to kill it long before.
const PATIENCE: Duration = Duration::from_secs(60);

/// Messages that one command may have waiting: looks, text to type, and the end.
const MESSAGES: usize = 8;

/// The shell commands that a thread's turns started and that run, or whose last output the model has not seen. The thread
/// and its turns share it. When it is dropped, all of them end.
#[derive(Default)]
pub struct Shells(Mutex<Table>);

#[derive(Default)]
struct Table {
    shells: BTreeMap<u32, ShellHandle>,
    /// Places that are taken by commands which have not started.
    reserved: usize,
    last: u32,
}

/// A shell command.
#[derive(Clone)]
pub struct ShellHandle {
    /// What the model and clients call it.
    pub number: u32,
    /// Where it is reached.
    pub shell: Arc<Addr<Shell>>,
    /// Its turn.
    pub turn_id: Arc<str>,
    /// Its item.
    pub item_id: String,
    /// The whole command, quoted for a shell.
    pub command: String,
    /// Its working directory.
    pub cwd: PathBuf,
    /// Under which rules it was started; those of the thread may have changed since.
    pub rules: Rules,
    /// What these rules call the workspace.
    pub workspace: PathBuf,
    /// Cancelled when it has ended and its end was told.
    pub ended: CancellationToken,
}

impl ShellHandle {
    /// Tells the command to end. Its end is told later.
    pub async fn end(&self) {
        // An error means that it is gone.
        let _ = self.shell.send(EndShell).await;
    }
}

/// The place of a command that is about to start. Dropping it makes room for another.
pub struct Place {
    /// What the model and clients will call the command.
    pub number: u32,
    shells: Arc<Shells>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shells.lock().reserved -= 1;
    }
}

/// As many commands run in the thread as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} commands of this thread run already, or wait for an answer; wait for one with write_stdin, or end one, before you start another"
)]
pub struct TooManyShells(pub usize);

impl Shells {
    /// A place for a command that is about to start, unless `most` are taken already. Commands that have ended make room.
    ///
    /// # Errors
    /// Too many run.
    pub fn reserve(self: &Arc<Self>, most: usize) -> Result<Place, TooManyShells> {
        let mut table = self.lock();
        if table.shells.len() + table.reserved >= most {
            table.shells.retain(|_, shell| !shell.ended.is_cancelled());
        }
        if table.shells.len() + table.reserved >= most {
            return Err(TooManyShells(most));
        }
        table.reserved += 1;
        table.last = table.last.max(FIRST - 1) + 1;
        Ok(Place { number: table.last, shells: self.clone() })
    }

    /// Starts a command on the calling arbiter, in a place from [`Self::reserve`].
    pub fn start(&self, place: Place, task: ShellTask, command: String) -> ShellHandle {
        let number = place.number;
        let ended = CancellationToken::new();
        let (rules, workspace) = (task.run.rules.clone(), task.run.workspace.clone());
        let (turn_id, item_id, cwd) = (task.turn_id.clone(), task.item.id.clone(), task.run.cwd.clone());
        let shell = start(MESSAGES, Shell::new(task, ended.clone()));
        let handle = ShellHandle { number, shell, turn_id, item_id, command, cwd, rules, workspace, ended };
        self.lock().shells.insert(number, handle.clone());
        handle
    }

    /// The command with this number.
    pub fn get(&self, number: u32) -> Option<ShellHandle> {
        self.lock().shells.get(&number).cloned()
    }

    /// The model has seen the end of this command.
    pub fn forget(&self, number: u32) {
        self.lock().shells.remove(&number);
    }

    /// The commands that run, oldest first.
    pub fn running(&self) -> Vec<ShellHandle> {
        self.lock().shells.values().filter(|shell| !shell.ended.is_cancelled()).cloned().collect()
    }

    /// Ends the running commands that are `meant`, and returns when the end of each was told.
    pub async fn end(&self, meant: impl Fn(&ShellHandle) -> bool) {
        let meant = self.running().into_iter().filter(meant);
        join_all(meant.map(|shell| async move {
            // An error means that it is gone, and with it whoever would tell of its end.
            if shell.shell.send(EndShell).await.is_ok() && timeout(PATIENCE, shell.ended.cancelled()).await.is_err() {
                log::error!("command {} of turn {} was told to end, and does not", shell.number, shell.turn_id);
            }
        }))
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shells {
    fn drop(&mut self) {
        for shell in self.running() {
            // A full mailbox cannot be waited for here; the command then ends with its thread, to which it reports.
            let _ = shell.shell.try_send(EndShell);
        }
    }
}
