//! A panic in a handler fails that request, is counted, and leaves the process serving (law 7).
//!
//! Actors run in a [`crate::context::Context`], which catches every panic; the request's [`crate::reply::Reply`]
//! answers -32603 when it is dropped. Use [`guarded`] and [`guarded_future`] where more must happen after a panic than
//! to drop what panicked: a place is freed, a status told, a connection closed.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt;

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Number of panics caught since the process started.
pub fn count() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Runs `work`. Returns `None` if it panics; the panic is counted and logged.
///
/// The state must be consistent wherever `work` can panic: handlers change their actor's state last, after everything
/// that can fail.
pub fn guarded<T>(what: &str, work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| caught(what)).ok()
}

/// Like [`guarded`], for a future.
pub async fn guarded_future<T>(what: &str, work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| caught(what)).ok()
}

fn caught(what: &str) {
    PANICS.fetch_add(1, Ordering::Relaxed);
    log::error!("caught a panic in {what}; the request that it served is answered with an internal error");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_counted_and_survived() {
        let before = count();
        assert_eq!(guarded("a test", || 1), Some(1));
        assert_eq!(guarded("a test", || panic!("on purpose")), None::<()>);
        assert!(count() > before);
    }
}
