//! Bridges JSON lines on stdin and stdout to text messages of the server.

use std::{io, path::Path, pin::pin, time::Duration};

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
    time::{sleep, timeout},
};
use tokio_util::codec::FramedRead;

use super::{ProxyError, exchange::Exchange};
use crate::{
    attach::{self, Messages, Sender, connect_unix},
    listen::Output,
    logging,
};

/// Pause between attempts to connect again.
const PAUSE: Duration = Duration::from_millis(500);

/// The lines of the client.
type ClientLines<I> = FramedRead<I, JsonLines>;

/// How a connection to the server ended.
enum Ended {
    /// The client has left, and everything is answered.
    Left,
    /// The server has left, with these last words.
    Lost(String),
}

/// Relays lines and messages until the server's last message. After the end of `input` the server still answers pending
/// requests; if it ends before, that is an error.
pub async fn run(
    input: impl AsyncRead + Unpin,
    mut output: Output,
    server: UnixStream,
    limits: &Limits,
) -> Result<(), ProxyError> {
    let mut lines = FramedRead::new(input, JsonLines::new(limits.message_bytes));
    let ended = relay(&mut lines, &mut output, server, &Exchange::default(), limits).await?;
    output.shutdown().await.map_err(ProxyError::Relay)?;
    match ended {
        Ended::Left => Ok(()),
        Ended::Lost(last_words) => Err(ProxyError::ServerGone(last_words)),
    }
}

/// The same, and connects to the server at `socket` again whenever it has ended: the client goes on as if nothing had
/// happened, but for an error for each request that was not answered.
pub async fn run_again_and_again(
    input: impl AsyncRead + Unpin,
    mut output: Output,
    server: UnixStream,
    socket: &Path,
    limits: &Limits,
) -> Result<(), ProxyError> {
    let mut lines = FramedRead::new(input, JsonLines::new(limits.message_bytes));
    let exchange = Exchange::remembering();
    let mut connected = Some(server);
    loop {
        let server = match connected.take() {
            Some(server) => server,
            None => tokio::select! {
                server = come_back(socket) => server,
                () = output.unread() => return Err(ProxyError::Relay(io::ErrorKind::BrokenPipe.into())),
            },
        };
        match relay(&mut lines, &mut output, server, &exchange, limits).await {
            Ok(Ended::Left) => return output.shutdown().await.map_err(ProxyError::Relay),
            Ok(Ended::Lost(last_words)) => {
                note(&format!("the server closed the connection{last_words}; connecting again"))
            }
            Err(error) if error.may_come_back() => note(&format!("{error}; connecting again")),
            Err(error) => return Err(error),
        }
        for text in exchange.lost() {
            output.write_all(&line(&text)).await.map_err(ProxyError::Relay)?;
        }
        output.flush().await.map_err(ProxyError::Relay)?;
        sleep(PAUSE).await;
    }
}

async fn come_back(socket: &Path) -> UnixStream {
    loop {
        match connect_unix(socket).await {
            Ok(server) => return server,
            Err(_) => sleep(PAUSE).await,
        }
    }
}

fn note(text: &str) {
    logging::say(text, &format!("{text}\n"));
}

/// One connection, from its handshake to its end.
async fn relay(
    lines: &mut ClientLines<impl AsyncRead + Unpin>,
    output: &mut Output,
    server: UnixStream,
    exchange: &Exchange,
    limits: &Limits,
) -> Result<Ended, ProxyError> {
    let (mut sender, messages) = attach::upgrade(server, limits).await?;
    for text in exchange.repeated() {
        if sender.text(text).await.is_err() {
            return Ok(Ended::Lost(String::new()));
        }
    }
    let (refuse, refusals) = mpsc::channel(1);
    // Only the latest ping needs an answer (RFC 6455 5.5.3), so one slot is enough.
    let (ping, pings) = watch::channel(Bytes::new());

    let mut upward = pin!(carry_to_server(lines, sender, &refuse, pings, exchange, limits));
    let mut downward = pin!(carry_to_client(messages, refusals, output, &ping, exchange));
    tokio::select! {
        biased;
        sent = &mut upward => {
            // A server that stops reading may have sent the reason.
            let last_words = downward.await?;
            Ok(if sent.is_ok() { Ended::Left } else { Ended::Lost(last_words) })
        }
        received = &mut downward => received.map(Ended::Lost),
    }
}

/// The error: the server takes nothing more.
async fn carry_to_server(
    lines: &mut ClientLines<impl AsyncRead + Unpin>,
    mut sender: Sender,
    refuse: &mpsc::Sender<Frame>,
    mut pings: watch::Receiver<Bytes>,
    exchange: &Exchange,
    limits: &Limits,
) -> io::Result<()> {
    let mut at_end = false;
    // The time starts when this is first polled, at the end of the lines.
    let mut answered = pin!(async { timeout(limits.connection_flush_seconds.duration(), exchange.settled()).await });
    loop {
        let line = tokio::select! {
            line = lines.next(), if !at_end => line,
            Ok(()) = pings.changed() => {
                let payload = pings.borrow_and_update().clone();
                sender.pong(payload).await?;
                continue;
            }
            _ = &mut answered, if at_end => return sender.finish().await,
        };
        match line {
            Some(Ok(line)) => match line.into_text(limits.message_bytes) {
                Ok(text) => {
                    if let Some(text) = exchange.upward(text) {
                        sender.text(text).await?;
                    }
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
    output: &mut Output,
    ping: &watch::Sender<Bytes>,
    exchange: &Exchange,
) -> Result<String, ProxyError> {
    loop {
        let text = tokio::select! {
            biased;
            Some(refusal) = refusals.recv() => Some(refusal.into_text()),
            incoming = messages.next() => match incoming {
                Some(Incoming::Text(text)) => exchange.downward(text),
                Some(Incoming::Ping(payload)) => {
                    ping.send_replace(payload);
                    continue;
                }
                Some(Incoming::Close(code)) => {
                    return Ok(code.map(|code| format!(" (close code {code})")).unwrap_or_default());
                }
                Some(Incoming::Violation(reason)) => {
                    return Ok(format!(" after it broke the protocol: {}", reason.text()));
                }
                Some(Incoming::Binary(_)) => return Ok(" after it sent a binary message".to_owned()),
                None => return Ok(String::new()),
            },
            () = output.unread() => return Err(ProxyError::Relay(io::ErrorKind::BrokenPipe.into())),
        };
        let Some(text) = text else { continue };
        output.write_all(&line(&text)).await.map_err(ProxyError::Relay)?;
        output.flush().await.map_err(ProxyError::Relay)?;
    }
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
