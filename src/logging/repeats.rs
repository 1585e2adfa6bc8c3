//! Limits repeated log lines, so that a peer cannot fill the disk. Each place in the code writes up to a few lines a
//! minute, and then the number of further ones.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use log::{Level, Record};

/// Interval over which repeated lines are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// Lines per interval and place in the code: enough for a start with several warnings.
const OWN_LINES: u64 = 5;

/// The same for lines that peers can cause.
const PEER_LINES: u64 = 1;

/// The same for the coming and going of clients, which an operator who asks for `info` wants to see one by one.
const CLIENT_LINES: u64 = 100;

/// The target of those lines.
const OF_CLIENTS: &str = "app_server_actors::clients";

/// Modules whose lines can be caused by peers. The same applies to all other crates.
const OF_PEERS: [&str; 4] = [
    "codex_app_server::http",
    "app_server_actors::connection",
    "app_server_actors::router",
    "app_server_actors::remote_link",
];

/// Maximum length of the last line as quoted with its count, in characters.
const SHOWN_CHARACTERS: usize = 500;

/// The places in the code that logged recently. Their number is bounded by the size of the program.
pub struct Repeats(Mutex<Option<HashMap<u64, Place>>>);

struct Place {
    since: Instant,
    written: u64,
    held_back: u64,
    level: Level,
    target: String,
    last: String,
}

/// A summary of suppressed lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// Taken from the lines.
    pub level: Level,
    /// Taken from the lines.
    pub target: String,
    /// Number of lines.
    pub count: u64,
    /// Text of the last line.
    pub last: String,
}

/// What to do with a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Write it.
    Write,
    /// Count it.
    HoldBack,
    /// Count it as the first one of an interval: [`Repeats::next_due`] has changed.
    HoldBackFirst,
}

impl Repeats {
    /// Creates the state without lines.
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Decides about a line at `now`. Lines of the levels `debug` and `trace` are never suppressed.
    pub fn judge(&self, record: &Record<'_>, now: Instant) -> Verdict {
        if record.level() > Level::Info {
            return Verdict::Write;
        }
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.get_or_insert_default().entry(key(record)).or_insert_with(|| Place {
            since: now,
            written: 0,
            held_back: 0,
            level: record.level(),
            target: record.target().to_owned(),
            last: String::new(),
        });
        if now.duration_since(place.since) >= WINDOW && place.held_back == 0 {
            (place.since, place.written) = (now, 0);
        }
        if place.written < lines_of(record.target()) {
            place.written += 1;
            return Verdict::Write;
        }
        place.held_back += 1;
        place.last = record.args().to_string().chars().take(SHOWN_CHARACTERS).collect();
        if place.held_back == 1 { Verdict::HoldBackFirst } else { Verdict::HoldBack }
    }

    /// When the next summary is due.
    pub fn next_due(&self) -> Option<Instant> {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = places.iter().flat_map(HashMap::values).filter(|place| place.held_back > 0);
        waiting.map(|place| place.since + WINDOW).min()
    }

    /// Takes the summaries that are due at `now`. Their places stay silent for the next interval.
    pub fn take_due(&self, now: Instant) -> Vec<Told> {
        self.take(now, |place| now.duration_since(place.since) >= WINDOW)
    }

    /// Takes all summaries, due or not.
    pub fn take_all(&self) -> Vec<Told> {
        self.take(Instant::now(), |_| true)
    }

    fn take(&self, now: Instant, is_due: impl Fn(&Place) -> bool) -> Vec<Told> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = places.iter_mut().flat_map(HashMap::values_mut);
        due.filter(|place| place.held_back > 0 && is_due(place)).map(|place| place.tell(now)).collect()
    }
}

impl Place {
    fn tell(&mut self, now: Instant) -> Told {
        self.since = now;
        Told {
            level: self.level,
            target: self.target.clone(),
            count: std::mem::take(&mut self.held_back),
            last: std::mem::take(&mut self.last),
        }
    }
}

/// The place in the code that wrote the line.
fn key(record: &Record<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (record.level(), record.target(), record.file(), record.line()).hash(&mut hasher);
    hasher.finish()
}

fn lines_of(target: &str) -> u64 {
    if target == OF_CLIENTS {
        return CLIENT_LINES;
    }
    let is_own = target.starts_with("codex_app_server") || target.starts_with("app_server_actors");
    if is_own && !OF_PEERS.iter().any(|module| target.starts_with(module)) { OWN_LINES } else { PEER_LINES }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(repeats: &Repeats, target: &str, line: u32, text: &str, now: Instant) -> Verdict {
        let builder = &mut Record::builder();
        let record = builder.level(Level::Warn).target(target).file(Some("f.rs")).line(Some(line));
        repeats.judge(&record.args(format_args!("{text}")).build(), now)
    }

    #[test]
    fn a_flood_is_one_line_a_minute_with_its_count() {
        let (repeats, start) = (Repeats::new(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let flood = |text: &str, seconds| judge(&repeats, "actix_http::h1::dispatcher", 7, text, at(seconds));

        assert_eq!(flood("bad head 0", 0), Verdict::Write);
        assert_eq!(repeats.next_due(), None);
        assert_eq!(flood("bad head 1", 1), Verdict::HoldBackFirst);
        for _ in 2..1000 {
            assert_eq!(flood("bad head 2", 30), Verdict::HoldBack);
        }
        assert_eq!(repeats.next_due(), Some(at(60)));
        assert_eq!(repeats.take_due(at(59)), []);
        let told = |count, last: &str| Told {
            level: Level::Warn,
            target: "actix_http::h1::dispatcher".to_owned(),
            count,
            last: last.to_owned(),
        };
        assert_eq!(repeats.take_due(at(60)), [told(999, "bad head 2")]);
        assert_eq!(flood("bad head 3", 61), Verdict::HoldBackFirst, "the count was the line of this minute");
        assert_eq!(repeats.take_due(at(120)), [told(1, "bad head 3")]);
        assert_eq!(flood("bad head 4", 200), Verdict::Write, "after a quiet minute");
    }

    #[test]
    fn other_places_and_other_levels_are_not_held_back() {
        let (repeats, now) = (Repeats::new(), Instant::now());
        assert_eq!(judge(&repeats, "actix_server::accept", 1, "", now), Verdict::Write);
        assert_eq!(judge(&repeats, "actix_server::accept", 2, "", now), Verdict::Write);
        assert_ne!(judge(&repeats, "actix_server::accept", 1, "", now), Verdict::Write);
        let debug = Record::builder().level(Level::Debug).build();
        for _ in 0..10 {
            assert_eq!(repeats.judge(&debug, now), Verdict::Write);
        }
    }

    #[test]
    fn what_no_peer_causes_may_be_said_a_few_times() {
        let (repeats, now) = (Repeats::new(), Instant::now());
        for path in ["a", "b", "c", "d", "e"] {
            assert_eq!(judge(&repeats, "codex_app_server::settings", 1, path, now), Verdict::Write);
        }
        assert_eq!(judge(&repeats, "codex_app_server::settings", 1, "f", now), Verdict::HoldBackFirst);
        assert_eq!(repeats.take_all()[0].last, "f", "also when the process ends before the minute does");
    }
}
