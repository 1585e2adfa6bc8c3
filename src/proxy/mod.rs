//! `proxy`: connects stdin and stdout to a running server.
//!
//! For a client that speaks WebSocket, bytes are relayed. For a client that writes JSON lines as to a server on stdio,
//! each line becomes a message. The first bytes decide which.

mod detect;
mod exchange;
mod jsonl;
mod memory;
mod raw;

use std::{
    io::{self, Cursor},
    path::{Path, PathBuf},
};

use app_server_actors::limits::Limits;
use bytes::BytesMut;
use tokio::{io::AsyncReadExt as _, net::UnixStream};

pub use self::detect::Framing;
use self::detect::Wire;
use crate::{
    attach::{AttachError, connect_unix, how_to_start},
    listen::open_stdio,
    signals::{Signals, Wish},
};

/// Why the proxy failed.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// There is no server. The first lines are the reference program's.
    #[error("failed to connect to socket at {}\n\nCaused by:\n    {error}\n\n{}", path.display(), how_to_start(path))]
    Connect {
        /// Path of the socket.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The listener is not an app server.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// stdout is closed. The text is the reference program's.
    #[error("failed to relay data between stdio and socket\n\nCaused by:\n    {0}")]
    Relay(io::Error),
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server ended before stdin did.
    #[error("the server closed the connection{0}")]
    ServerGone(String),
}

impl ProxyError {
    fn server_gone(_: io::Error) -> Self {
        Self::ServerGone(String::new())
    }

    /// Whether the server, or the one after it, may be reached a little later.
    fn may_come_back(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::ServerGone(_) => true,
            Self::Attach(error) => error.may_come_back(),
            Self::Relay(_) | Self::Io(_) => false,
        }
    }
}

/// Connects stdin and stdout to the server at `socket` until one of them ends or a signal arrives. With `reconnect` a client
/// that writes JSON lines goes on with the next server.
///
/// # Errors
/// See [`ProxyError`].
pub async fn run(socket: &Path, framing: Framing, reconnect: bool, limits: &Limits) -> Result<(), ProxyError> {
    let mut signals = Signals::install(Wish::Stop)?;
    tokio::select! {
        ended = bridge(socket, framing, reconnect, limits) => ended,
        () = signals.stop() => Ok(()),
    }
}

async fn bridge(socket: &Path, framing: Framing, reconnect: bool, limits: &Limits) -> Result<(), ProxyError> {
    let connect = async || {
        let unreachable = |error| ProxyError::Connect { path: socket.to_owned(), error };
        connect_unix(socket).await.map_err(unreachable)
    };
    let stream = connect().await?;
    let (mut input, output) = open_stdio();

    let mut first = BytesMut::new();
    let (wire, kept) = tokio::select! {
        biased;
        wire = framing.wire(&mut input, &mut first) => (wire, Some(stream)),
        is_open = patience(&stream) => {
            if !is_open {
                return Err(ProxyError::ServerGone(String::new()));
            }
            drop(stream);
            (framing.wire(&mut input, &mut first).await, None)
        }
    };
    let stream = match kept {
        Some(stream) => stream,
        None => connect().await?,
    };
    let input = Cursor::new(first).chain(input);
    match wire {
        Wire::Raw => raw::run(input, output, stream).await,
        Wire::Jsonl if reconnect => jsonl::run_again_and_again(input, output, stream, socket, limits).await,
        Wire::Jsonl => jsonl::run(input, output, stream, limits).await,
    }
}

/// Waits until a server ends an unused connection. Returns true if it sent a reason, as HTTP servers do after a time
/// limit (a new connection will then be used), and false if it just closed.
async fn patience(stream: &UnixStream) -> bool {
    let mut byte = [0];
    loop {
        if stream.readable().await.is_err() {
            return false;
        }
        match stream.try_read(&mut byte) {
            Ok(read) => return read > 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
    }
}
