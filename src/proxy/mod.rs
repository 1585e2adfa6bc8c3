//! `proxy`: stdin and stdout as a way into a server that is running already.
//!
//! A client that speaks WebSocket itself is bridged byte for byte; one that writes lines of JSON, as to a server on
//! stdio, gets its lines carried as messages. The first bytes tell which of both it is.

mod detect;
mod jsonl;
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

/// Why the proxy did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// No server there. The first lines are the reference program's.
    #[error("failed to connect to socket at {}\n\nCaused by:\n    {error}\n\n{}", path.display(), how_to_start(path))]
    Connect {
        /// Where.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The one who listens there is no app server.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// Nobody reads stdout any more. The text is the reference program's.
    #[error("failed to relay data between stdio and socket\n\nCaused by:\n    {0}")]
    Relay(io::Error),
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server went away before stdin ended.
    #[error("the server closed the connection{0}")]
    ServerGone(String),
}

impl ProxyError {
    fn server_gone(_: io::Error) -> Self {
        Self::ServerGone(String::new())
    }
}

/// Bridges stdin and stdout to the server at `socket` until one of the three ends, or a signal asks for the end.
///
/// # Errors
/// See [`ProxyError`].
pub async fn run(socket: &Path, framing: Framing, limits: &Limits) -> Result<(), ProxyError> {
    let mut signals = Signals::install(Wish::Stop)?;
    tokio::select! {
        ended = bridge(socket, framing, limits) => ended,
        () = signals.stop() => Ok(()),
    }
}

async fn bridge(socket: &Path, framing: Framing, limits: &Limits) -> Result<(), ProxyError> {
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
        Wire::Jsonl => jsonl::run(input, output, stream, limits).await,
    }
}

/// Waits for a server that was told nothing yet to lose its patience: true when it has said so, as HTTP servers do after
/// a while (a new connection will be taken), false when it has just gone.
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
