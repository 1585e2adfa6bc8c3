//! What a stream has said so far.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use super::PATIENCE;

/// Everything a stream has said so far, read on a thread of its own so that the writer never waits.
#[derive(Clone)]
pub struct Collected(Arc<(Mutex<Text>, Condvar)>);

#[derive(Default)]
struct Text {
    text: String,
    ended: bool,
}

impl Collected {
    /// Starts reading.
    pub fn of(stream: impl Read + Send + 'static) -> Self {
        Self::until(stream, None)
    }

    /// Starts reading, and stops behind a line with `marker`. The stream stays open, for as long as the tests run.
    pub fn until(stream: impl Read + Send + 'static, marker: Option<&'static str>) -> Self {
        let collected = Self(Arc::default());
        let writer = collected.clone();
        thread::spawn(move || {
            let mut lines = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!(lines.read_until(b'\n', &mut line), Ok(1..)) {
                let said = String::from_utf8_lossy(&line);
                writer.update(|text| text.text.push_str(&said));
                if marker.is_some_and(|marker| said.contains(marker)) {
                    std::mem::forget(lines);
                    break;
                }
                line.clear();
            }
            writer.update(|text| text.ended = true);
        });
        collected
    }

    /// Starts reading a terminal, whose last line may have no end: a person types behind it.
    pub fn of_terminal(mut stream: impl Read + Send + 'static) -> Self {
        let collected = Self(Arc::default());
        let writer = collected.clone();
        thread::spawn(move || {
            let (mut said, mut bytes) = (Vec::new(), [0; 4096]);
            while let Ok(read @ 1..) = stream.read(&mut bytes) {
                said.extend_from_slice(&bytes[..read]);
                let shown = String::from_utf8_lossy(&said).into_owned();
                writer.update(|text| text.text = shown);
            }
            writer.update(|text| text.ended = true);
        });
        collected
    }

    fn update(&self, change: impl FnOnce(&mut Text)) {
        let (text, changed) = &*self.0;
        change(&mut text.lock().expect("no reader panicked"));
        changed.notify_all();
    }

    /// What was said so far.
    pub fn text(&self) -> String {
        self.0.0.lock().expect("no reader panicked").text.clone()
    }

    /// Waits for the end of the stream: everything.
    pub fn all(&self) -> String {
        self.wait("its end", |text| text.ended.then(|| text.text.clone()))
    }

    /// Waits until the stream has said something that `wanted` recognises.
    pub fn wait_for<T>(&self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        self.wait(what, |text| wanted(&text.text))
    }

    fn wait<T>(&self, what: &str, wanted: impl Fn(&Text) -> Option<T>) -> T {
        let (text, changed) = &*self.0;
        let deadline = Instant::now() + PATIENCE;
        let mut text = text.lock().expect("no reader panicked");
        loop {
            if let Some(found) = wanted(&text) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !text.ended, "waited for {what}, but the stream said:\n{}", text.text);
            text = changed.wait_timeout(text, left).expect("no reader panicked").0;
        }
    }
}
