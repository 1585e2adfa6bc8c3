//! The thread that writes to stderr, or to a file. It may block there forever; nothing waits for it.

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
    LOGGER, RECENT, REPEATS, file,
    queue::{Entry, Queue},
    repeats::Told,
};

/// How long a slow stderr may delay the end of the process.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The queued lines. The bound is a setting; little is logged before the settings are read.
pub(super) static QUEUE: Queue = Queue::new(1 << 20);

/// Whether the thread could be started.
static WRITER: OnceLock<bool> = OnceLock::new();

/// stderr for `env_logger`, which passes one whole line at a time.
pub(super) struct Queued;

/// stderr itself, for messages of the writing thread.
pub(super) struct Direct;

/// Writes `text` to stderr after all earlier lines. Never blocks.
pub(super) fn say(text: String) {
    if start() {
        QUEUE.push_said(text.into_bytes());
    } else {
        // A process that cannot start a thread is about to end, so this may block.
        write(text.as_bytes());
    }
}

/// Waits briefly until all lines are written. For the end of the process.
pub fn finish() {
    for told in REPEATS.take_all() {
        tell(&told, |record| log::logger().log(record));
    }
    QUEUE.wait_until_empty(LAST_WORDS);
}

/// Starts the thread unless it is running; false if it cannot be started.
pub(super) fn start() -> bool {
    *WRITER.get_or_init(|| thread::Builder::new().name("stderr".to_owned()).spawn(write_for_ever).is_ok())
}

fn write_for_ever() {
    loop {
        for told in REPEATS.take_due(Instant::now()) {
            tell(&told, directly);
        }
        match QUEUE.next(REPEATS.next_due()) {
            Some(Entry::Line(line)) => write_line(&line),
            Some(Entry::Said(text)) => {
                file::write(&text);
                write(&text);
            }
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

/// Writes a line to the log.
fn write_line(line: &[u8]) {
    if !file::write(line) {
        write(line);
    }
}

/// Writes all of `bytes`, or gives up if stderr is closed.
fn write(mut bytes: &[u8]) {
    let stderr = io::stderr();
    while !bytes.is_empty() {
        match rustix::io::write(&stderr, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            // Another holder of the stream has made it non-blocking.
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::new(&stderr, PollFlags::OUT)], None);
            }
            Err(_) => return,
        }
    }
}

impl Write for Queued {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        RECENT.push(line);
        QUEUE.push(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Direct {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        write_line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
