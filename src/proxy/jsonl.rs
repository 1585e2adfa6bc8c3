//! Bridges JSON lines on stdin and stdout to text messages of the server.

use std::{io, pin::pin};

use app_server_actors::{
    limits::Limits,
    protocol::{Frame, escape_line_separators},
    wire::{lines::JsonLines, reader::Incoming},
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::{
    io::{AsyncRead, AsyncWriteExt as _},
    net::UnixStream,
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_util::codec::FramedRead;

use super::{ProxyError, unanswered::Unanswered};
use crate::{
    attach::{self, Messages, Sender},
    listen::Output,
};

/// Relays lines and messages until the server's last message. After the end of `input` the server still answers pending
/// requests; if it ends before, that is an error.
pub async fn run(
    input: impl AsyncRead + Unpin,
    output: Output,
    server: UnixStream,
    limits: &Limits,
) -> Result<(), ProxyError> {
    let (sender, messages) = attach::upgrade(server, limits).await?;
    let lines = FramedRead::new(input, JsonLines::new(limits.message_bytes));
    let (refuse, refusals) = mpsc::channel(1);
    // Only the latest ping needs an answer (RFC 6455 5.5.3), so one slot is enough.
    let (ping, pings) = watch::channel(Bytes::new());

    let unanswered = Unanswered::default();
    let mut upward = pin!(carry_to_server(lines, sender, &refuse, pings, &unanswered, limits));
    let mut downward = pin!(carry_to_client(messages, refusals, output, &ping, &unanswered));
    tokio::select! {
        biased;
        sent = &mut upward => {
            // A server that stops reading may have sent the reason.
            downward.await?;
            sent
        }
        received = &mut downward => received.and_then(|last_words| Err(ProxyError::ServerGone(last_words))),
    }
}

async fn carry_to_server(
    mut lines: FramedRead<impl AsyncRead + Unpin, JsonLines>,
    mut sender: Sender,
    refuse: &mpsc::Sender<Frame>,
    mut pings: watch::Receiver<Bytes>,
    unanswered: &Unanswered,
    limits: &Limits,
) -> Result<(), ProxyError> {
    let mut at_end = false;
    // The time starts when this is first polled, at the end of the lines.
    let mut answered = pin!(async { timeout(limits.connection_flush_seconds.duration(), unanswered.none()).await });
    loop {
        let line = tokio::select! {
            line = lines.next(), if !at_end => line,
            Ok(()) = pings.changed() => {
                let payload = pings.borrow_and_update().clone();
                sender.pong(payload).await.map_err(ProxyError::server_gone)?;
                continue;
            }
            _ = &mut answered, if at_end => return sender.finish().await.map_err(ProxyError::server_gone),
        };
        match line {
            Some(Ok(line)) => match line.into_text(limits.message_bytes) {
                Ok(text) => {
                    unanswered.sent(&text);
                    sender.text(text).await.map_err(ProxyError::server_gone)?;
                }
                // Once the other direction has ended, refusals are not received, and this one ends, too.
                Err(error) => drop(refuse.send(Frame::error(None, &error)).await),
            },
            // An unreadable stdin counts as ended.
            Some(Err(_)) | None => at_end = true,
        }
    }
}

/// The error is about the client; the result is why the server ended.
async fn carry_to_client(
    mut messages: Messages,
    mut refusals: mpsc::Receiver<Frame>,
    mut output: Output,
    ping: &watch::Sender<Bytes>,
    unanswered: &Unanswered,
) -> Result<String, ProxyError> {
    let last_words = loop {
        let text = tokio::select! {
            biased;
            Some(refusal) = refusals.recv() => refusal.into_text(),
            incoming = messages.next() => match incoming {
                Some(Incoming::Text(text)) => {
                    unanswered.received(&text);
                    text
                }
                Some(Incoming::Ping(payload)) => {
                    ping.send_replace(payload);
                    continue;
                }
                Some(Incoming::Close(code)) => break code.map(|code| format!(" (close code {code})")).unwrap_or_default(),
                Some(Incoming::Violation(reason)) => break format!(" after it broke the protocol: {}", reason.text()),
                Some(Incoming::Binary(_)) => break " after it sent a binary message".to_owned(),
                None => break String::new(),
            },
            () = output.unread() => return Err(ProxyError::Relay(io::ErrorKind::BrokenPipe.into())),
        };
        output.write_all(&line(&text)).await.map_err(ProxyError::Relay)?;
        output.flush().await.map_err(ProxyError::Relay)?;
    };
    output.shutdown().await.map_err(ProxyError::Relay)?;
    Ok(last_words)
}

/// The message as one line. Newlines can only be white space between JSON tokens, so they are replaced by spaces; what
/// else some readers take for the end of a line is escaped.
fn line(text: &str) -> Vec<u8> {
    let text = escape_line_separators(text.to_owned());
    let mut line = Vec::with_capacity(text.len() + 1);
    line.extend(text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_one_line() {
        assert_eq!(line("{\n  \"a\": \"\\n\"\r\n}"), b"{   \"a\": \"\\n\"  }\n");
        assert_eq!(line("\"\u{2028}ä\u{2029}\""), "\"\\u2028ä\\u2029\"\n".as_bytes());
    }
}
