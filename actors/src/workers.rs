//! Threads for work that may block for long or forever, such as file operations.
//!
//! A disk can stop responding in the middle of a system call, and its thread cannot be recovered. So a task without
//! progress is given up after a while: its caller receives an error, and its slot goes to the next task. The number of
//! tasks that are given up is bounded, too; above the bound new tasks are refused.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_rt::task::spawn_blocking;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::panics::guarded;
use crate::protocol::RpcError;

/// Maximum number of threads blocked by tasks that were given up, besides the workers themselves.
const LOST_THREADS: usize = 64;

/// Worker threads of one actor.
#[derive(Clone)]
pub struct Workers {
    places: Arc<Semaphore>,
    spare: Arc<Semaphore>,
    patience: Duration,
}

/// Why a task has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// It panicked.
    Panicked,
    /// It made no progress for this long and was given up. It may still be carried out.
    GivenUp(Duration),
    /// It was not started: too many tasks were given up before, or the caller is gone.
    Refused,
}

impl Unfinished {
    /// The error for a client whose request was about `subject`.
    pub fn explain(self, subject: &str) -> RpcError {
        match self {
            Self::Panicked => RpcError::internal(format_args!("{subject}: the server failed; it is safe to try again")),
            Self::GivenUp(patience) => RpcError::internal(format_args!(
                "{subject}: the file system has not answered for {} s; the request may still be carried out",
                patience.as_secs()
            )),
            Self::Refused => RpcError::overloaded(),
        }
    }
}

/// Lets a task report progress, and learn that its caller is gone.
#[derive(Clone, Default)]
pub struct Progress {
    steps: Arc<AtomicU64>,
    unwanted: CancellationToken,
}

impl Workers {
    /// Creates workers for up to `threads` tasks at a time. A task without progress for `patience` is given up.
    pub fn new(threads: usize, patience: Duration) -> Self {
        let [places, spare] = [threads, LOST_THREADS].map(|permits| Arc::new(Semaphore::new(permits)));
        Self { places, spare, patience }
    }

    /// Runs `work` on a thread when it is its turn. Work that takes longer than the patience must report its steps.
    /// Once `unwanted` is cancelled, its next step fails. If the returned future is dropped, the work goes on.
    ///
    /// # Errors
    /// There is no result; see [`Unfinished`].
    ///
    /// # Panics
    /// Panics outside an actix system.
    pub fn run<T: Send + 'static, W: FnOnce(&Progress) -> T + Send + 'static>(
        &self,
        what: &'static str,
        unwanted: &CancellationToken,
        work: W,
    ) -> impl Future<Output = Result<T, Unfinished>> + use<T, W> {
        let (workers, progress) = (self.clone(), Progress { steps: Arc::default(), unwanted: unwanted.child_token() });
        // In a separate task, so that the slot is freed even if the caller is gone.
        let task = actix_rt::spawn(async move {
            let place = progress.unwanted.run_until_cancelled(workers.place()).await;
            let place = Arc::new(Mutex::new(Some(place.ok_or(Unfinished::Refused)??)));
            let (its_place, its_progress) = (place.clone(), progress.clone());
            let thread = spawn_blocking(move || {
                let result = guarded(what, || work(&its_progress));
                drop(take(&its_place));
                result
            });
            workers.watch(what, thread, &place, &progress).await
        });
        async move { task.await.unwrap_or(Err(Unfinished::Panicked)) }
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Unfinished> {
        loop {
            match timeout(self.patience, self.places.clone().acquire_owned()).await {
                Ok(place) => return place.map_err(|_| Unfinished::Refused),
                Err(_) if self.spare.available_permits() == 0 => return Err(Unfinished::Refused),
                Err(_) => {}
            }
        }
    }

    async fn watch<T>(
        &self,
        what: &str,
        mut thread: actix_rt::task::JoinHandle<Option<T>>,
        place: &Mutex<Option<OwnedSemaphorePermit>>,
        progress: &Progress,
    ) -> Result<T, Unfinished> {
        let mut seen = progress.count();
        loop {
            if let Ok(ended) = timeout(self.patience, &mut thread).await {
                return ended.ok().flatten().ok_or(Unfinished::Panicked);
            }
            if seen != progress.count() {
                seen = progress.count();
                continue;
            }
            log::warn!("{what} has not got on for {:?}; it is waited for no more", self.patience);
            progress.unwanted.cancel();
            if let Ok(spare) = self.spare.clone().try_acquire_owned()
                && let Some(place) = place.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            {
                *place = spare;
            }
            return Err(Unfinished::GivenUp(self.patience));
        }
    }
}

fn take(place: &Mutex<Option<OwnedSemaphorePermit>>) -> Option<OwnedSemaphorePermit> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Progress {
    /// Reports progress.
    pub fn tick(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// Reports progress of work that is useless without its caller.
    ///
    /// # Errors
    /// The caller is gone; the work should end.
    pub fn step(&self) -> io::Result<()> {
        self.tick();
        self.check()
    }

    /// Checks that the caller is still waiting.
    ///
    /// # Errors
    /// The caller is gone; the work should end.
    pub fn check(&self) -> io::Result<()> {
        match self.unwanted.is_cancelled() {
            true => Err(io::Error::other("nobody waits for the result any more")),
            false => Ok(()),
        }
    }

    /// Number of reported steps.
    pub fn count(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const BRIEF: Duration = Duration::from_millis(20);

    fn wanted() -> CancellationToken {
        CancellationToken::new()
    }

    /// Work that blocks until the sender is dropped, like on a disk that does not respond.
    fn hang(workers: &Workers) -> (Sender<()>, impl Future<Output = Result<(), Unfinished>> + use<>) {
        let (answer, disk): (_, Receiver<()>) = channel();
        let work = move |_: &Progress| {
            let _ = disk.recv();
        };
        (answer, workers.run("a test", &wanted(), work))
    }

    #[actix_rt::test]
    async fn work_that_hangs_is_given_up_and_its_place_taken() {
        let workers = Workers::new(1, BRIEF);
        let (disk, hanging) = hang(&workers);
        assert_eq!(hanging.await, Err(Unfinished::GivenUp(BRIEF)));
        assert_eq!(workers.run("a test", &wanted(), |_| 7).await, Ok(7));
        assert_eq!(workers.spare.available_permits(), LOST_THREADS - 1);
        drop(disk);
        while workers.spare.available_permits() < LOST_THREADS {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[actix_rt::test]
    async fn no_more_threads_are_lost_than_the_bound_allows() {
        let workers = Workers { spare: Arc::new(Semaphore::new(0)), ..Workers::new(1, BRIEF) };
        let (_disk, hanging) = hang(&workers);
        assert_eq!(hanging.await, Err(Unfinished::GivenUp(BRIEF)));
        assert_eq!(workers.run("a test", &wanted(), |_| 7).await, Err(Unfinished::Refused));
    }

    #[actix_rt::test]
    async fn work_that_gets_on_may_take_long() {
        let workers = Workers::new(1, BRIEF);
        let slow = |progress: &Progress| {
            for _ in 0..50 {
                std::thread::sleep(Duration::from_millis(2));
                progress.tick();
            }
            7
        };
        assert_eq!(workers.run("a test", &wanted(), slow).await, Ok(7));
    }

    #[actix_rt::test]
    async fn work_that_nobody_waits_for_ends_at_its_next_step_and_frees_its_place() {
        let workers = Workers::new(1, Duration::from_secs(60));
        let gone = CancellationToken::new();
        drop(workers.run("a test", &gone, |progress| while progress.step().is_ok() {}));
        gone.cancel();
        assert_eq!(workers.run("a test", &wanted(), |_| 7).await, Ok(7));
    }

    #[actix_rt::test]
    async fn a_panic_frees_the_place() {
        let workers = Workers::new(1, BRIEF);
        let panic = |_: &Progress| -> () { panic!("a panic that a test wants") };
        assert_eq!(workers.run("a test", &wanted(), panic).await, Err(Unfinished::Panicked));
        assert_eq!(workers.run("a test", &wanted(), |_| 7).await, Ok(7));
    }
}
