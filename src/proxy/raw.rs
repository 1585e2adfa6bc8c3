//! Relays bytes in both directions without interpreting them.

use std::{io, pin::pin};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::UnixStream,
};

use super::ProxyError;
use crate::listen::Output;

/// Size of one read, in bytes: the capacity of a pipe.
const CHUNK_BYTES: usize = 64 * 1024;

/// Relays bytes until the server's last one. The end of `input` is passed on to the server, which may still answer; if
/// it ends before, that is an error.
pub async fn run(input: impl AsyncRead + Unpin, output: Output, server: UnixStream) -> Result<(), ProxyError> {
    let (from_server, to_server) = server.into_split();
    let mut upward = pin!(carry_to_server(input, to_server));
    let mut downward = pin!(carry_to_client(from_server, output));
    tokio::select! {
        biased;
        sent = &mut upward => {
            // A server that stops reading may have sent the reason.
            downward.await?;
            sent
        }
        received = &mut downward => received.and(Err(ProxyError::ServerGone(String::new()))),
    }
}

async fn carry_to_server(
    mut input: impl AsyncRead + Unpin,
    mut server: impl AsyncWrite + Unpin,
) -> Result<(), ProxyError> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        // An unreadable stdin counts as ended.
        match input.read(&mut chunk).await.unwrap_or(0) {
            0 => return server.shutdown().await.map_err(ProxyError::server_gone),
            read => server.write_all(&chunk[..read]).await.map_err(ProxyError::server_gone)?,
        }
    }
}

async fn carry_to_client(mut server: impl AsyncRead + Unpin, mut output: Output) -> Result<(), ProxyError> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = tokio::select! {
            read = server.read(&mut chunk) => read.map_err(ProxyError::server_gone)?,
            () = output.unread() => return Err(ProxyError::Relay(io::ErrorKind::BrokenPipe.into())),
        };
        if read == 0 {
            return output.shutdown().await.map_err(ProxyError::Relay);
        }
        output.write_all(&chunk[..read]).await.map_err(ProxyError::Relay)?;
        output.flush().await.map_err(ProxyError::Relay)?;
    }
}
