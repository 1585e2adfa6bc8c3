//! The server inside the test's own process.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use codex_app_server::in_process::InProcessServer;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, WriteHalf};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::PATIENCE;
use super::client::Client;
use super::home::Home;
use super::transports::{Serving, Settings};
use super::wire::{Received, Wire};

/// A server that the library started.
pub struct InProcess {
    server: InProcessServer,
    home: Home,
}

impl InProcess {
    /// With a home of its own, whose settings file says `settings`.
    pub fn start(settings: Settings) -> Self {
        let home = Home::new();
        let lines: String = settings.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
        fs::write(home.join("app-server.toml"), lines).expect("the settings are written");
        let server = InProcessServer::start(home.path()).unwrap_or_else(|e| panic!("the server does not start: {e}"));
        Self { server, home }
    }
}

impl Serving for InProcess {
    fn connect(&self) -> Client {
        Client::new(Box::new(Pipe::new(self.server.open())))
    }

    fn codex_home(&self) -> &Path {
        self.home.path()
    }
}

/// Lines through a pipe in memory.
struct Pipe {
    runtime: Runtime,
    writer: Option<WriteHalf<DuplexStream>>,
    lines: Receiver<String>,
}

impl Pipe {
    /// Reads on a thread of its own, as the wire of the child process does.
    fn new(stream: DuplexStream) -> Self {
        let runtime = || Builder::new_current_thread().enable_time().build().expect("a runtime");
        let (reader, writer) = tokio::io::split(stream);
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            runtime().block_on(async move {
                let mut lines = BufReader::new(reader).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        });
        Self { runtime: runtime(), writer: Some(writer), lines }
    }
}

impl Wire for Pipe {
    fn send(&mut self, message: &str) {
        if let Some(writer) = &mut self.writer {
            let line = format!("{message}\n");
            let writing = async { timeout(PATIENCE, writer.write_all(line.as_bytes())).await };
            let written = self.runtime.block_on(writing).expect("the server reads");
            // Whether the server has gone away is found out by receiving.
            drop(written);
        }
    }

    fn receive(&mut self, deadline: Instant) -> Received {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => Received::Message(line),
            Err(RecvTimeoutError::Timeout) => Received::Nothing,
            Err(RecvTimeoutError::Disconnected) => Received::Closed(None),
        }
    }

    fn close(&mut self) {
        if let Some(mut writer) = self.writer.take() {
            // The server may have ended first.
            let _ = self.runtime.block_on(writer.shutdown());
        }
    }
}
