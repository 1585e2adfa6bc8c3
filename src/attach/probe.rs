//! Asks a server for its health, as a supervisor does.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::{AttachError, Endpoint, connect_unix, websocket::DEFAULT_PORT};

/// How long a server may take; supervisors wait for one second at least, and for little more.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest first line of an answer.
const LINE_BYTES: u64 = 256;

/// The status of the answer to `GET path`, such as 200.
///
/// # Errors
/// There is no answer, or none of HTTP.
pub async fn probe(endpoint: &Endpoint, path: &str) -> Result<u16, AttachError> {
    let asked = async {
        match endpoint {
            Endpoint::Unix(socket) => ask(connect_unix(socket).await?, "localhost", path).await,
            Endpoint::WebSocket { url, .. } => {
                let host = url.host().unwrap_or_default();
                let port = url.port_u16().unwrap_or(DEFAULT_PORT);
                let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
                ask(stream, host, path).await
            }
        }
    };
    let answered = timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    answered.map_err(|error| AttachError::Unreachable { endpoint: Box::new(endpoint.clone()), error })
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, host: &str, path: &str) -> io::Result<u16> {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut line = String::new();
    BufReader::new(tokio::io::AsyncReadExt::take(stream, LINE_BYTES)).read_line(&mut line).await?;
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::other("the program that listens there does not answer as an HTTP server"))
}
