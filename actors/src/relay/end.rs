//! Why the relay ends a socket: close codes of its own (RFC 6455 7.4.2) beside those of the wire.

use crate::wire::close::CloseReason;

/// Why a socket is ended. A phone learns from the code whether to come back.
///
/// | code | reason | what a phone does |
/// |---|---|---|
/// | as in [`CloseReason`] | `Wire` | comes back and resumes |
/// | 1000 | `Left` | nothing: it has ended the socket itself |
/// | 4000 | `StreamLost` | comes back and begins anew with `initialize` |
/// | 4001 | `Replaced` | stays away: the same stream was opened elsewhere |
/// | 4003 | `Revoked` | stays away: it is not paired any more |
/// | 4008 | `Full` | comes back later |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A reason of the wire.
    Wire(CloseReason),
    /// The peer has ended the socket.
    Left,
    /// The machine has lost the stream.
    StreamLost,
    /// Another socket took the place of this one.
    Replaced,
    /// The pairing, or the server, exists no more.
    Revoked,
    /// There are too many streams.
    Full,
}

impl End {
    /// The close code.
    pub fn code(self) -> u16 {
        match self {
            Self::Wire(reason) => reason.code(),
            Self::Left => 1000,
            Self::StreamLost => 4000,
            Self::Replaced => 4001,
            Self::Revoked => 4003,
            Self::Full => 4008,
        }
    }

    /// What happened, and what to do; at most 123 bytes.
    pub fn text(self) -> String {
        match self {
            Self::Wire(reason) => reason.on_the_wire(),
            Self::Left => "Left: as you wish".to_owned(),
            Self::StreamLost => {
                "StreamLost: the machine does not know this stream any more; begin a new one".to_owned()
            }
            Self::Replaced => "Replaced: another connection took the place of this one".to_owned(),
            Self::Revoked => "Revoked: it may not connect any more; pair it again".to_owned(),
            Self::Full => "Full: too many connections to this machine; close some, and connect again".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_fits_a_close_frame() {
        let wire = End::Wire(CloseReason::Overloaded);
        for end in [wire, End::Left, End::StreamLost, End::Replaced, End::Revoked, End::Full] {
            assert!(end.text().len() <= 123 && crate::wire::close::may_be_sent(end.code()), "{end:?}");
        }
    }
}
