//! The server before this one.

use std::io::{self, Write as _};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::listen::{TAKE_OVER, open_stdio};

/// What the next server writes to its stdout when it could take over.
pub(super) const READY: &str = "ready\n";

/// A running server that has started this process to be the next one.
pub struct Predecessor(());

impl Predecessor {
    /// The one that the environment speaks of.
    pub fn of_environment() -> Option<Self> {
        std::env::var_os(TAKE_OVER).map(|_| Self(()))
    }

    /// Tells the one that the environment speaks of, if there is one, why this process cannot be the next one.
    pub fn tell_failure(text: &str) {
        if std::env::var_os(TAKE_OVER).is_some() {
            // It may be gone. What fits into a pipe does not block.
            let _ = writeln!(io::stdout(), "{text}");
        }
    }

    /// Tells it that this server can take over, and returns when it has ended.
    ///
    /// # Errors
    /// It has ended before it heard of it: this process is nobody's successor.
    pub async fn make_way(self) -> io::Result<()> {
        let (mut from_it, mut to_it) = open_stdio();
        to_it.write_all(READY.as_bytes()).await?;
        to_it.flush().await?;
        log::info!("ready to take over; waiting for the running server to end");
        // It writes nothing: this ends when it does.
        while from_it.read(&mut [0; 64]).await? > 0 {}
        log::info!("the server before this one has ended; taking over");
        Ok(())
    }
}
