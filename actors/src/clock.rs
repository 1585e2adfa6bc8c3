//! The clocks. They are injected, so that tests can set the time.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

/// Linux's clock that goes on during suspend; elsewhere the monotonic clock does.
#[cfg(target_os = "linux")]
const STEADY: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const STEADY: ClockId = ClockId::Monotonic;

/// A wall clock, and a steady one for periods, which is never set. Clones share them.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    steady: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Clock {
    /// The clocks of the operating system.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
    pub fn system() -> Self {
        let steady = || Duration::try_from(clock_gettime(STEADY)).unwrap_or_default();
        Self { wall: Arc::new(SystemTime::now), steady: Arc::new(steady) }
    }

    /// A clock that calls `now` and is never set.
    pub fn from_fn(now: impl Fn() -> SystemTime + Clone + Send + Sync + 'static) -> Self {
        let steady = now.clone();
        Self { wall: Arc::new(now), steady: Arc::new(move || steady().duration_since(UNIX_EPOCH).unwrap_or_default()) }
    }

    /// The same with another steady clock.
    #[cfg(test)]
    pub fn with_steady(self, steady: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { steady: Arc::new(steady), ..self }
    }

    /// Milliseconds since the Unix epoch; 0 for a time before it.
    pub fn unix_ms(&self) -> i64 {
        let since_epoch = (self.wall)().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    }

    /// Milliseconds of the steady clock, whose beginning means nothing.
    pub fn steady_ms(&self) -> i64 {
        i64::try_from((self.steady)().as_millis()).unwrap_or(i64::MAX)
    }

    /// When the steady clock will show what the wall clock shows at `unix_ms`, as far as the wall clock is right now.
    pub fn steady_at(&self, unix_ms: i64) -> i64 {
        unix_ms.saturating_sub(self.unix_ms()).saturating_add(self.steady_ms())
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_clocks_go_on() {
        let clock = Clock::system();
        let (wall, steady) = (clock.unix_ms(), clock.steady_ms());
        assert!(wall > 0 && steady > 0 && clock.steady_ms() >= steady);
    }

    #[test]
    fn what_the_wall_clock_will_show_is_told_in_steady_time() {
        let clock = Clock::from_fn(|| UNIX_EPOCH + Duration::from_secs(1000)).with_steady(|| Duration::from_secs(7));
        assert_eq!(clock.steady_at(1_060_000), 67_000);
        assert_eq!(clock.steady_at(940_000), -53_000);
        assert_eq!(clock.steady_at(i64::MIN), i64::MIN + 7_000);
    }
}
