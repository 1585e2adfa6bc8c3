//! The messages of phones that are kept until the server is known to have them.

use std::collections::VecDeque;

use bytestring::ByteString;

use super::key::StreamKey;

/// See the module's documentation.
pub struct Kept {
    epoch: String,
    latest: u64,
    messages: VecDeque<Message>,
    bytes: usize,
    most_messages: usize,
    most_bytes: usize,
}

struct Message {
    cursor: u64,
    key: StreamKey,
    text: ByteString,
}

impl Kept {
    pub fn new(epoch: String, most_messages: usize, most_bytes: usize) -> Self {
        Self { epoch, latest: 0, messages: VecDeque::new(), bytes: 0, most_messages, most_bytes }
    }

    pub fn latest(&self) -> u64 {
        self.latest
    }

    /// The number in a cursor of this exchange; `None` for one of another.
    pub fn read(&self, cursor: &str) -> Option<u64> {
        let (epoch, number) = cursor.rsplit_once('.')?;
        let number = number.parse().ok()?;
        (epoch == self.epoch && number <= self.latest).then_some(number)
    }

    /// The text of the cursor for the next message.
    pub fn next_cursor(&self) -> String {
        format!("{}.{}", self.epoch, self.latest + 1)
    }

    /// Keeps the message with the next cursor, and returns that.
    pub fn keep(&mut self, key: StreamKey, text: ByteString) -> u64 {
        self.latest += 1;
        self.bytes += text.len();
        self.messages.push_back(Message { cursor: self.latest, key, text });
        self.latest
    }

    /// Forgets the oldest messages above the bounds, and returns whose they were. The newest one stays, whatever its size.
    pub fn forget_surplus(&mut self) -> Vec<(StreamKey, u64)> {
        let mut forgotten = Vec::new();
        while self.messages.len() > 1 && (self.messages.len() > self.most_messages || self.bytes > self.most_bytes) {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.bytes -= oldest.text.len();
            forgotten.push((oldest.key, oldest.cursor));
        }
        forgotten
    }

    /// The server has everything up to `cursor`.
    pub fn confirm(&mut self, cursor: u64) {
        while let Some(oldest) = self.messages.front()
            && oldest.cursor <= cursor
        {
            self.bytes -= oldest.text.len();
            self.messages.pop_front();
        }
        if self.messages.is_empty() {
            self.messages.shrink_to(8);
        }
    }

    /// The messages of a stream that has ended need not arrive any more.
    pub fn drop_stream(&mut self, key: &StreamKey) {
        self.messages.retain(|message| message.key != *key);
        self.bytes = self.messages.iter().map(|message| message.text.len()).sum();
    }

    pub fn clear(&mut self) {
        self.messages.clear();
        self.bytes = 0;
    }

    pub fn texts(&self) -> impl Iterator<Item = ByteString> {
        self.messages.iter().map(|message| message.text.clone())
    }
}
