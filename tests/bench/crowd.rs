//! Many connections served by one thread, for the cases where the number of clients is the point.

use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::Result;
use crate::client::Client;

/// Connections, and the poll that says which of them have something to read.
pub struct Crowd {
    poll: Poll,
    events: Events,
    members: Vec<Client>,
}

impl Crowd {
    /// When nothing arrives for this long, a message was lost.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Takes connections over. They are read as soon as something arrives, and must be read until a short read.
    pub fn new(members: Vec<Client>) -> Result<Self> {
        let poll = Poll::new()?;
        for (index, member) in members.iter().enumerate() {
            rustix::io::ioctl_fionbio(member.descriptor(), true)?;
            let descriptor = member.descriptor().as_raw_fd();
            poll.registry().register(&mut SourceFd(&descriptor), Token(index), Interest::READABLE)?;
        }
        Ok(Self { poll, events: Events::with_capacity(members.len().max(1)), members })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// One of them.
    pub fn member(&mut self, index: usize) -> &mut Client {
        &mut self.members[index]
    }

    /// Waits until something has arrived and hands every message, and then each connection that was read, over.
    pub fn listen(&mut self, ear: &mut impl Ear) -> Result<()> {
        self.poll.poll(&mut self.events, Some(Self::PATIENCE))?;
        if self.events.is_empty() {
            return Err("nothing arrives any more".into());
        }
        self.read(ear)
    }

    /// The same without waiting: reads what is there already.
    pub fn glance(&mut self, ear: &mut impl Ear) -> Result<()> {
        self.poll.poll(&mut self.events, Some(Duration::ZERO))?;
        self.read(ear)
    }

    fn read(&mut self, ear: &mut impl Ear) -> Result<()> {
        for event in &self.events {
            let Token(index) = event.token();
            let client = &mut self.members[index];
            if let Err(error) = take_in(client, |text| ear.hear(index, text)) {
                ear.lose(index, client, error)?;
            }
            ear.answer(index, client)?;
        }
        Ok(())
    }
}

/// Hands over every message that has arrived at `client`.
fn take_in(client: &mut Client, mut hear: impl FnMut(&[u8])) -> Result<()> {
    let mut more = true;
    while more {
        more = match client.fill() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            read => read?,
        };
        while let Some(text) = client.next()? {
            hear(text);
        }
    }
    Ok(())
}

/// What a case does with the messages of a crowd.
pub trait Ear {
    /// A message for the connection `index`.
    fn hear(&mut self, index: usize, text: &[u8]);

    /// Everything that had arrived at `index` was heard: the moment to send what it makes room for, in one write.
    fn answer(&mut self, index: usize, client: &mut Client) -> Result<()>;

    /// The connection `index` has ended, which nobody expects unless this says otherwise.
    fn lose(&mut self, _index: usize, _client: &mut Client, error: Box<dyn std::error::Error>) -> Result<()> {
        Err(error)
    }
}
