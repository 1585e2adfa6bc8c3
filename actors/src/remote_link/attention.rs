//! Tells a relay of our own when something on this machine waits for a person: an approval or an answer, or a turn that has
//! ended. The relay reads no payload, so it cannot know by itself, and may tell phones that are away. It learns that something
//! waits, and when; not what: this connection is inside of the machine, where nothing is encrypted yet, and the envelope is
//! always the same.
//!
//! The streams of phones cannot say it: one whose phone is away pauses when so much is unacknowledged, and ends after a while. So
//! a connection of its own hears what everybody is told.

use std::collections::{HashMap, HashSet};

use bytestring::ByteString;
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio_util::codec::FramedRead;

use super::link::Link;
use crate::protocol::remote::{HostBody, HostEnvelope};
use crate::wire::lines::{JsonLines, Line};

/// What the connection says first. It hears of what everybody hears of, and of no thread in particular.
const HELLO: &str = concat!(
    r#"{"id":1,"method":"initialize","params":{"clientInfo":{"name":"codex-app-server-relay-watch","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""}}}"#,
    "\n",
    r#"{"method":"initialized"}"#,
    "\n"
);

/// The state of a thread, as everybody is told it.
#[derive(Deserialize)]
struct Told {
    method: Option<String>,
    params: Option<Params>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    thread_id: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    active_flags: HashSet<String>,
}

/// The threads that work, each with what it waits for.
struct Watched {
    working: HashMap<String, HashSet<String>>,
    most: usize,
}

impl Watched {
    /// Whether what everybody was told means that something waits for a person that did not before.
    fn hear(&mut self, line: &str) -> bool {
        let Ok(Told { method: Some(method), params: Some(params) }) = serde_json::from_str(line) else { return false };
        let Params { thread_id: Some(thread), status: Some(status) } = params else { return false };
        if method != "thread/status/changed" {
            return false;
        }
        if status.kind != "active" {
            // One that was only loaded did not work before.
            return self.working.remove(&thread).is_some();
        }
        if !self.working.contains_key(&thread) && self.working.len() >= self.most {
            return false;
        }
        let before = self.working.insert(thread, status.active_flags.clone()).unwrap_or_default();
        !status.active_flags.is_subset(&before)
    }
}

/// The envelope that says it.
pub(super) fn envelope() -> Option<ByteString> {
    let envelope = HostEnvelope { client_id: "".into(), stream_id: "".into(), seq_id: 0, body: HostBody::Attention };
    envelope.write().ok().map(ByteString::from)
}

/// Watches this machine as long as it is polled, if the relay is one of ours. It never ends.
pub(super) async fn watch(link: &Link) {
    if let Some(connection) = link.watch() {
        listen(link, connection).await;
        log::debug!("the connection that watches for what waits has ended");
    }
    std::future::pending().await
}

async fn listen(link: &Link, connection: DuplexStream) {
    let (reader, mut writer) = tokio::io::split(connection);
    if writer.write_all(HELLO.as_bytes()).await.is_err() {
        return;
    }
    let mut watched = Watched { working: HashMap::new(), most: link.limits().watched_threads };
    let mut lines = FramedRead::new(reader, JsonLines::new(link.limits().segmented_message_bytes));
    while let Some(Ok(line)) = lines.next().await {
        if let Line::Text(line) = line
            && watched.hear(&line)
        {
            link.want_attention();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(thread: &str, status: &str) -> String {
        format!(r#"{{"method":"thread/status/changed","params":{{"threadId":"{thread}","status":{status}}}}}"#)
    }

    #[test]
    fn a_question_and_the_end_of_a_turn_are_worth_a_word_and_nothing_else() {
        let mut watched = Watched { working: HashMap::new(), most: 2 };
        let active = r#"{"type":"active","activeFlags":[]}"#;
        let asks = r#"{"type":"active","activeFlags":["waitingOnApproval"]}"#;
        let idle = r#"{"type":"idle"}"#;
        for (status, expected) in [
            (idle, false),
            (active, false),
            (asks, true),
            (asks, false),
            (active, false),
            (asks, true),
            (idle, true),
            (idle, false),
        ] {
            assert_eq!(watched.hear(&told("t", status)), expected, "{status}");
        }
        for line in
            ["nonsense", "{}", r#"{"id":1,"result":{}}"#, r#"{"method":"thread/started","params":{"threadId":"t"}}"#]
        {
            assert!(!watched.hear(line), "{line}");
        }
    }

    #[test]
    fn the_relay_is_told_the_same_whatever_waits() {
        let told = envelope().expect("an envelope");
        assert_eq!(told, r#"{"type":"attention","client_id":"","stream_id":"","seq_id":0}"#);
    }

    #[test]
    fn the_number_of_watched_threads_is_bounded() {
        let mut watched = Watched { working: HashMap::new(), most: 1 };
        let asks = r#"{"type":"active","activeFlags":["waitingOnApproval"]}"#;
        assert!(watched.hear(&told("first", asks)));
        assert!(!watched.hear(&told("second", asks)));
        assert!(watched.hear(&told("first", r#"{"type":"notLoaded"}"#)));
        assert!(watched.hear(&told("second", asks)));
    }
}
