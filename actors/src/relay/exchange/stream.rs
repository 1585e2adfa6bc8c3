//! One stream: what has come and gone, by number.

use std::collections::VecDeque;

use bytestring::ByteString;

use super::wire::Wire;
use crate::protocol::remote::Notice;
use crate::protocol::scope::Scopes;
use crate::relay::end::End;
use crate::wire::close::CloseReason;

/// The place of an envelope in its stream: its number, and that of its segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub seq: u64,
    segment: u32,
}

impl Place {
    /// Stands for a whole message: behind every segment.
    const WHOLE: u32 = u32::MAX;

    /// The place of a segment, or of a whole message. An acknowledgement of it covers everything before it.
    pub fn of(seq: u64, segment: Option<u32>) -> Self {
        Self { seq, segment: segment.unwrap_or(Self::WHOLE) }
    }

    /// The segment, unless it is the place of a whole message.
    pub fn segment(self) -> Option<u32> {
        (self.segment != Self::WHOLE).then_some(self.segment)
    }
}

/// How much of something there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub envelopes: usize,
    pub bytes: usize,
}

/// See the module's documentation.
pub struct Stream<W> {
    scopes: Scopes,
    phone: Option<W>,
    /// The last envelope of the phone.
    last_of_phone: Place,
    /// The first message that was refused and has not come again.
    refused: Option<u64>,
    /// Cursor of the last envelope to the server; 0 before the first.
    spoke: u64,
    /// Cursor of the last envelope to the server that is not kept any more, though nobody knows whether it arrived.
    forgot: u64,
    /// The last envelope of the server.
    last_of_server: Place,
    /// What the phone has acknowledged.
    acknowledged: Place,
    retained: VecDeque<(Place, ByteString)>,
    retained_bytes: usize,
}

impl<W: Wire> Stream<W> {
    pub fn new(scopes: Scopes) -> Self {
        Self {
            scopes,
            phone: None,
            last_of_phone: Place::default(),
            refused: None,
            spoke: 0,
            forgot: 0,
            last_of_server: Place::default(),
            acknowledged: Place::default(),
            retained: VecDeque::new(),
            retained_bytes: 0,
        }
    }

    pub fn scopes(&self) -> Scopes {
        self.scopes
    }

    pub fn last_of_phone(&self) -> Place {
        self.last_of_phone
    }

    pub fn took(&mut self, place: Place) {
        self.last_of_phone = place;
        self.refused = None;
    }

    /// A message was not passed on. Later ones are refused, too, until it comes again, because numbers must not go back.
    pub fn refuse(&mut self, seq: u64) {
        self.refused = Some(self.refused.map_or(seq, |first| first.min(seq)));
    }

    /// The message that must come first, if `seq` is a later one.
    pub fn awaits_before(&self, seq: u64) -> bool {
        self.refused.is_some_and(|first| seq > first)
    }

    /// Something was passed on to the server with this cursor.
    pub fn spoke(&mut self, cursor: u64) {
        self.spoke = cursor;
    }

    /// What was passed on with this cursor is not kept any more.
    pub fn forgot(&mut self, cursor: u64) {
        self.forgot = self.forgot.max(cursor);
    }

    /// Whether the server has lost something of this stream that cannot be sent again. `known` is the cursor with which the
    /// server came; without one it has started anew.
    pub fn is_lost(&self, known: Option<u64>) -> bool {
        match known {
            None => self.spoke > 0,
            Some(known) => self.forgot > known,
        }
    }

    pub fn has_phone(&self) -> bool {
        self.phone.is_some()
    }

    /// A phone has come. It gets `welcome`, and then what it has not acknowledged.
    pub fn attach(&mut self, phone: W, welcome: &Notice) {
        if let Some(before) = self.phone.replace(phone) {
            before.end(End::Replaced);
        }
        self.notify(welcome);
        for (_, text) in &self.retained {
            self.push(text.clone());
        }
    }

    pub fn detach(&mut self, phone: &W) -> bool {
        self.phone.take_if(|mine| mine.is(phone)).is_some()
    }

    /// Ends the socket of the phone.
    pub fn hang_up(&self, why: End) {
        if let Some(phone) = &self.phone {
            phone.end(why);
        }
    }

    pub fn notify(&self, notice: &Notice) {
        if let Ok(text) = notice.write() {
            self.push(text.into());
        }
    }

    /// A phone whose queue is full is ended; it may come back and resume.
    fn push(&self, text: ByteString) {
        if let Some(phone) = &self.phone
            && !phone.push(text)
        {
            phone.end(End::Wire(CloseReason::Overloaded));
        }
    }

    pub fn is_new(&self, place: Place) -> bool {
        place > self.last_of_server
    }

    /// Keeps an envelope of the server until it is acknowledged, and passes it on.
    pub fn retain(&mut self, place: Place, text: ByteString) {
        self.last_of_server = place;
        self.retained_bytes += text.len();
        self.retained.push_back((place, text.clone()));
        self.push(text);
    }

    pub fn retained(&self) -> Amount {
        Amount { envelopes: self.retained.len(), bytes: self.retained_bytes }
    }

    pub fn acknowledged(&self) -> Place {
        self.acknowledged
    }

    /// Forgets what the phone has, and returns how much that was.
    pub fn acknowledge(&mut self, place: Place) -> Amount {
        let mut freed = Amount::default();
        while let Some((first, text)) = self.retained.front()
            && *first <= place
        {
            freed.envelopes += 1;
            freed.bytes += text.len();
            self.acknowledged = *first;
            self.retained.pop_front();
        }
        self.retained_bytes -= freed.bytes;
        if self.retained.is_empty() {
            self.retained.shrink_to(8);
        }
        freed
    }
}
