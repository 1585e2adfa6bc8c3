//! The server before this one.

use std::io;

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
