//! Distributes work on many small items over the processors.

use std::num::NonZero;
use std::sync::Mutex;
use std::thread;

/// Number of items below which another thread does not pay.
const FEW: usize = 4096;

/// Number of processors.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Calls `work` with parts of `items`, in parallel if that pays. Returns the results in order.
pub fn in_parts<T: Sync, R: Send>(items: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let processors = processors();
    let parts = processors.min(items.len().div_ceil(FEW)).max(1);
    let mut chunks = items.chunks(items.len().div_ceil(parts).max(1));
    let first = chunks.next().unwrap_or_default();
    thread::scope(|scope| {
        let work = &work;
        let started = |chunk| (chunk, thread::Builder::new().spawn_scoped(scope, move || work(chunk)));
        let others: Vec<_> = chunks.map(started).collect();
        let mut results = vec![work(first)];
        for (chunk, other) in others {
            match other.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(result)) => results.push(result),
                // The panic is passed on to the calling thread.
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                // There is no room for another thread.
                Err(_) => results.push(work(chunk)),
            }
        }
        results
    })
}

/// How many of `most` helper threads can be started now. They exist side by side for a moment, so that each counts.
pub fn startable_threads(most: usize) -> usize {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        let closed = gate.lock();
        let start = |_| thread::Builder::new().spawn_scoped(scope, || drop(gate.lock())).ok();
        let started: Vec<_> = (0..most).map_while(start).collect();
        drop(closed);
        // Otherwise the system may still count them when the caller starts its own.
        started.into_iter().map(thread::ScopedJoinHandle::join).filter(Result::is_ok).count()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usually_all_threads_can_be_started() {
        assert_eq!(startable_threads(3), 3);
        assert_eq!(startable_threads(0), 0);
    }

    #[test]
    fn every_thing_is_worked_on_once_and_in_order() {
        for count in [0, 1, FEW, 10 * FEW + 1] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(in_parts(&items, |part| part.to_vec()).concat(), items);
        }
    }
}
