//! Lines of JSON on stdin and stdout, text messages towards the server.

use std::{io, pin::pin};

use app_server_actors::{
    connection::{stream::JsonLines, websocket::reader::Incoming},
    limits::Limits,
    protocol::Frame,
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::{
    io::{AsyncRead, AsyncWriteExt as _},
    net::UnixStream,
    sync::{mpsc, watch},
};
use tokio_util::codec::FramedRead;

use super::ProxyError;
use crate::{
    attach::{self, Messages, Sender},
    listen::Output,
};

/// Carries lines and messages until the server has sent its last one. After the end of `input` the server still
/// answers what it was asked; a server that ends before is an error.
pub async fn run(
    input: impl AsyncRead + Unpin,
    output: Output,
    server: UnixStream,
    limits: &Limits,
) -> Result<(), ProxyError> {
    let (sender, messages) = attach::upgrade(server, limits).await?;
    let lines = FramedRead::new(input, JsonLines::new(limits.message_bytes));
    let (refuse, refusals) = mpsc::channel(1);
    // Only the latest ping wants an answer (RFC 6455 5.5.3), so that one place is enough.
    let (ping, pings) = watch::channel(Bytes::new());

    let mut upward = pin!(carry_to_server(lines, sender, &refuse, pings, limits.message_bytes));
    let mut downward = pin!(carry_to_client(messages, refusals, output, &ping));
    tokio::select! {
        biased;
        sent = &mut upward => {
            // A server that takes no more may have said why.
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
    limit: usize,
) -> Result<(), ProxyError> {
    loop {
        let line = tokio::select! {
            line = lines.next() => line,
            Ok(()) = pings.changed() => {
                let payload = pings.borrow_and_update().clone();
                sender.pong(payload).await.map_err(ProxyError::server_gone)?;
                continue;
            }
        };
        // A stdin that cannot be read has ended.
        let Some(Ok(line)) = line else {
            return sender.finish().await.map_err(ProxyError::server_gone);
        };
        match line.into_text(limit) {
            Ok(text) => sender.text(text).await.map_err(ProxyError::server_gone)?,
            // Nobody takes refusals once the other direction has ended, and then this one ends as well.
            Err(error) => drop(refuse.send(Frame::error(None, &error)).await),
        }
    }
}

/// The error is about the client; the result is why the server said no more.
async fn carry_to_client(
    mut messages: Messages,
    mut refusals: mpsc::Receiver<Frame>,
    mut output: Output,
    ping: &watch::Sender<Bytes>,
) -> Result<String, ProxyError> {
    let last_words = loop {
        let text = tokio::select! {
            biased;
            Some(refusal) = refusals.recv() => refusal.into_text(),
            incoming = messages.next() => match incoming {
                Some(Incoming::Text(text)) => text,
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

/// The message as one line: line ends can stand only between the parts of a JSON text, where blanks mean the same.
fn line(text: &str) -> Vec<u8> {
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
    }
}
