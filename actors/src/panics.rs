//! A panic in a handler costs that request an error, is counted, and leaves the process serving (law 7).
//!
//! Actix drops an actor whose handler panics, and its mailbox is closed for good. So everything that runs for a request
//! runs inside [`guarded`] or [`guarded_future`]; the request's [`crate::reply::Reply`] answers -32603 when it is dropped.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt;

static PANICS: AtomicU64 = AtomicU64::new(0);

/// How many panics were caught since the process started.
pub fn count() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Runs `work`; a panic is counted and logged, and `None` comes back.
///
/// The state that `work` leaves behind must be sound at every point where it can panic: handlers change their actor's
/// state last, after everything that can fail.
pub fn guarded<T>(what: &str, work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| caught(what)).ok()
}

/// The same for a future.
pub async fn guarded_future<T>(what: &str, work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| caught(what)).ok()
}

fn caught(what: &str) {
    PANICS.fetch_add(1, Ordering::Relaxed);
    log::error!("a panic while handling {what} was caught; the request is answered with an internal error");
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
