//! The one thread that writes to stderr. It may wait there for ever; nobody waits for it.

use std::{
    io::{self, Write},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use log::Log as _;
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};

use super::{
    LOGGER, REPEATS,
    queue::{Entry, Queue},
    repeats::Told,
};

/// How long the end of the process may be held up by a stderr that is read slowly.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What waits to be written. The bound is a setting; until the settings are read, nothing much is said.
pub(super) static QUEUE: Queue = Queue::new(1 << 20);

/// Whether the thread could be started.
static WRITER: OnceLock<bool> = OnceLock::new();

/// stderr for `env_logger`, which hands over one whole line at a time.
pub(super) struct Queued;

/// stderr itself, for what the writing thread has to say of its own.
pub(super) struct Direct;

/// Says `text` on stderr after everything that was said before. Never waits.
pub fn say(text: String) {
    if start() {
        QUEUE.push(text.into_bytes());
    } else {
        // A process without threads is about to end, so nobody minds when this waits.
        write(text.as_bytes());
    }
}

/// Waits a moment until everything is written that was said so far. For the end of the process.
pub fn finish() {
    for told in REPEATS.take_all() {
        tell(&told, |record| log::logger().log(record));
    }
    QUEUE.wait_until_empty(LAST_WORDS);
}

/// Starts the thread unless it runs already; false when the system has no thread left.
pub(super) fn start() -> bool {
    *WRITER.get_or_init(|| thread::Builder::new().name("stderr".to_owned()).spawn(write_for_ever).is_ok())
}

fn write_for_ever() {
    loop {
        for told in REPEATS.take_due(Instant::now()) {
            tell(&told, directly);
        }
        match QUEUE.next(REPEATS.next_due()) {
            Some(Entry::Line(line)) => write(&line),
            Some(Entry::Dropped(lines)) => directly(
                &log::Record::builder()
                    .level(log::Level::Warn)
                    .target(module_path!())
                    .args(format_args!("{lines} lines are missing here: stderr was not read fast enough"))
                    .key_values(&[("dropped", lines)])
                    .build(),
            ),
            None => {}
        }
    }
}

fn tell(told: &Told, log: impl Fn(&log::Record<'_>)) {
    let Told { level, target, count, last } = told;
    log(&log::Record::builder()
        .level(*level)
        .target(target)
        .args(format_args!("{count} more like this within a minute; the last one: {last}"))
        .key_values(&[("repeated", *count)])
        .build());
}

fn directly(record: &log::Record<'_>) {
    if let Some(loggers) = LOGGER.current() {
        loggers.direct.log(record);
    }
}

/// Writes all of `bytes`, or gives up where nobody will ever read them.
fn write(mut bytes: &[u8]) {
    let stderr = io::stderr();
    while !bytes.is_empty() {
        match rustix::io::write(&stderr, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            // Whoever else holds the stream has made it non-blocking.
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], None);
            }
            Err(_) => return,
        }
    }
}

impl Write for Queued {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        QUEUE.push(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Direct {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        write(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
