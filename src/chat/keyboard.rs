//! What a person types at the terminal, line by line.

use std::{
    io,
    os::fd::{AsFd as _, OwnedFd},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    termios::{QueueSelector, tcflush},
};
use tokio::io::{Interest, unix::AsyncFd};

/// A longer line is taken in pieces, in bytes. Terminals send lines of at most 4 KiB.
const MOST_BYTES: usize = 64 * 1024;

/// The terminal on stdin. It is read on no helper thread: a read that nobody waits for any more would take the next line,
/// and what was typed as words to the agent could become the answer to a question.
pub struct Keyboard {
    terminal: AsyncFd<OwnedFd>,
    typed: Vec<u8>,
}

impl Keyboard {
    /// Reads stdin, which is a terminal.
    ///
    /// # Errors
    /// The system refuses to watch it.
    pub fn open() -> io::Result<Self> {
        let terminal = io::stdin().as_fd().try_clone_to_owned()?;
        Ok(Self { terminal: AsyncFd::with_interest(terminal, Interest::READABLE)?, typed: Vec::new() })
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
            let mut ready = self.terminal.readable().await?;
            // The descriptor blocks, because its mode is shared with the shell that started this process.
            if !has_input(self.terminal.get_ref())? {
                ready.clear_ready();
                continue;
            }
            let mut bytes = [0; 4096];
            let read = match rustix::io::read(self.terminal.get_ref(), &mut bytes) {
                // A terminal that was closed on the other side.
                Err(rustix::io::Errno::IO) => 0,
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
        if let Err(error) = tcflush(self.terminal.get_ref(), QueueSelector::IFlush) {
            log::debug!("what was typed before could not be discarded: {error}");
        }
    }

    fn take_line(&mut self) -> Option<String> {
        let end = self.typed.iter().position(|byte| *byte == b'\n');
        let end = end.or_else(|| (self.typed.len() >= MOST_BYTES).then_some(self.typed.len() - 1))?;
        let line: Vec<u8> = self.typed.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn has_input(terminal: &OwnedFd) -> io::Result<bool> {
    let mut watched = [PollFd::new(terminal, PollFlags::IN)];
    Ok(poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
}
