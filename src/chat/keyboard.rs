//! What a person types at the terminal, line by line.

use std::{
    io::{self, stdin},
    sync::mpsc::{SyncSender, sync_channel},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    termios::{QueueSelector, tcflush},
};
use tokio::sync::mpsc;

/// A longer line is taken in pieces, in bytes. Terminals send lines of at most 4 KiB.
const MOST_BYTES: usize = 64 * 1024;

/// The terminal on stdin. A helper thread only waits for input and reads none: a read that nobody waits for any more would
/// take the next line, and what was typed as words to the agent could become the answer to a question.
pub struct Keyboard {
    /// Has the thread wait for input once.
    watch: SyncSender<()>,
    /// Input has come.
    ready: mpsc::Receiver<()>,
    /// The thread waits, or has said that input has come.
    is_watched: bool,
    typed: Vec<u8>,
}

impl Keyboard {
    /// Reads stdin, which is a terminal.
    ///
    /// # Errors
    /// The system starts no more threads.
    pub fn open() -> io::Result<Self> {
        let (watch, wishes) = sync_channel(1);
        let (input, ready) = mpsc::channel(1);
        let look = move || {
            // A signal only makes the other side look in vain.
            while wishes.recv().is_ok() {
                let _ = poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], None);
                if input.blocking_send(()).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("keyboard".to_owned()).spawn(look)?;
        Ok(Self { watch, ready, is_watched: false, typed: Vec::new() })
    }

    /// The next line without its end; `None` after the end of the input. Nothing is lost if it is not awaited to its end.
    ///
    /// # Errors
    /// The terminal cannot be read.
    pub async fn line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(line) = self.take_line() {
                return Ok(Some(line));
            }
            // A read would block, because the mode of stdin is shared with the shell that started this process.
            if !has_input()? {
                if !self.is_watched {
                    self.is_watched = self.watch.try_send(()).is_ok();
                }
                if self.ready.recv().await.is_none() {
                    return Ok(None);
                }
                self.is_watched = false;
                continue;
            }
            let mut bytes = [0; 4096];
            let read = match rustix::io::read(stdin(), &mut bytes) {
                // A terminal that was closed on the other side.
                Err(Errno::IO) => 0,
                read => read?,
            };
            if read == 0 {
                let rest = std::mem::take(&mut self.typed);
                return Ok((!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned()));
            }
            self.typed.extend_from_slice(&bytes[..read]);
        }
    }

    /// Forgets what was typed so far: it was typed before the question that is asked now.
    pub fn discard(&mut self) {
        self.typed.clear();
        if let Err(error) = tcflush(stdin(), QueueSelector::IFlush) {
            log::debug!("what was typed before could not be discarded: {error}");
        }
    }

    fn take_line(&mut self) -> Option<String> {
        let end = self.typed.iter().position(|byte| *byte == b'\n');
        let end = end.or_else(|| (self.typed.len() >= MOST_BYTES).then(|| self.typed.len() - 1))?;
        let line: Vec<u8> = self.typed.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn has_input() -> io::Result<bool> {
    Ok(poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
}
