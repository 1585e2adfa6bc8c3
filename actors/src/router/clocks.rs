//! The timers of one WebSocket peer. They do not read the time themselves; the caller passes it in.

use std::time::Duration;

use tokio::time::Instant;

use super::peer::Cut;
use crate::limits::Limits;
use crate::wire::close::CloseReason;

/// The observable state of a connection at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signs {
    pub(super) initialized: bool,
    /// Whether something is queued for the peer.
    pub(super) queued: bool,
    /// Number of writes since the connection opened.
    pub(super) written: u64,
    /// Number of arrivals from the peer.
    pub(super) heard: u64,
    /// Whether the connection is not being read.
    pub(super) resting: bool,
    /// Whether the server has sent a close frame.
    pub(super) closing: bool,
}

/// An action that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Ping,
    Close(CloseReason),
    Cut(Cut),
}

pub(super) struct Clocks {
    opened: Instant,
    /// Since when something is queued without a write, and the number of writes at that time.
    standstill: Option<(Instant, u64)>,
    /// When the last sign of life was seen, and the number of arrivals at that time.
    heard: (Instant, u64),
    pinged: Option<Instant>,
    closing: Option<Instant>,
}

impl Clocks {
    pub(super) fn new(now: Instant) -> Self {
        Self { opened: now, standstill: None, heard: (now, 0), pinged: None, closing: None }
    }

    /// The action that is due now, if any. Call it about once a second with the current state.
    pub(super) fn due(&mut self, now: Instant, signs: Signs, limits: &Limits) -> Option<Due> {
        let passed = |since: Instant, limit: Duration| now.duration_since(since) >= limit;
        if signs.closing {
            let since = *self.closing.get_or_insert(now);
            return passed(since, limits.websocket_close_seconds.duration()).then_some(Due::Cut(Cut::CloseOverdue));
        }
        if signs.heard != self.heard.1 || signs.queued || signs.resting {
            self.heard = (now, signs.heard);
            self.pinged = None;
        }
        if !signs.queued {
            self.standstill = None;
        } else {
            match self.standstill {
                Some((since, written)) if written == signs.written => {
                    return passed(since, limits.outbound_stall_seconds.duration()).then_some(Due::Cut(Cut::Stalled));
                }
                _ => self.standstill = Some((now, signs.written)),
            }
        }
        if !signs.initialized && passed(self.opened, limits.initialize_seconds.duration()) {
            return Some(Due::Close(CloseReason::NotInitialized));
        }
        match self.pinged {
            Some(pinged) => {
                passed(pinged, limits.websocket_pong_seconds.duration()).then_some(Due::Close(CloseReason::NoPong))
            }
            None if passed(self.heard.0, limits.websocket_ping_seconds.duration()) => {
                self.pinged = Some(now);
                Some(Due::Ping)
            }
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Seconds;

    /// Timers that are checked at given seconds after the start.
    struct Watch {
        start: Instant,
        clocks: Clocks,
        limits: Limits,
    }

    impl Watch {
        fn new() -> Self {
            let start = Instant::now();
            let limits = Limits {
                outbound_stall_seconds: Seconds(10),
                initialize_seconds: Seconds(60),
                websocket_ping_seconds: Seconds(30),
                websocket_pong_seconds: Seconds(20),
                websocket_close_seconds: Seconds(2),
                ..Limits::tiny()
            };
            Self { start, clocks: Clocks::new(start), limits }
        }

        fn at(&mut self, second: u64, signs: Signs) -> Option<Due> {
            self.clocks.due(self.start + Duration::from_secs(second), signs, &self.limits)
        }
    }

    const SILENT: Signs =
        Signs { initialized: true, queued: false, written: 0, heard: 0, resting: false, closing: false };

    #[test]
    fn silence_is_pinged_and_then_closed() {
        let mut watch = Watch::new();
        assert_eq!(watch.at(29, SILENT), None);
        assert_eq!(watch.at(30, SILENT), Some(Due::Ping));
        assert_eq!(watch.at(49, SILENT), None, "one ping");
        assert_eq!(watch.at(50, SILENT), Some(Due::Close(CloseReason::NoPong)));
    }

    #[test]
    fn any_sign_of_life_starts_the_silence_anew() {
        let mut watch = Watch::new();
        assert_eq!(watch.at(30, SILENT), Some(Due::Ping));
        let pong = Signs { heard: 1, ..SILENT };
        assert_eq!(watch.at(49, pong), None);
        assert_eq!(watch.at(78, pong), None);
        assert_eq!(watch.at(79, pong), Some(Due::Ping));
    }

    #[test]
    fn who_is_not_read_is_not_called_silent() {
        let mut watch = Watch::new();
        let resting = Signs { resting: true, ..SILENT };
        assert_eq!(watch.at(30, SILENT), Some(Due::Ping));
        assert_eq!(watch.at(40, resting), None);
        assert_eq!(watch.at(1000, resting), None);
        assert_eq!(watch.at(1029, SILENT), None);
        assert_eq!(watch.at(1030, SILENT), Some(Due::Ping));
    }

    #[test]
    fn no_progress_with_something_queued_cuts_and_slow_progress_does_not() {
        let mut watch = Watch::new();
        let queued = |written| Signs { queued: true, written, ..SILENT };
        assert_eq!(watch.at(6, queued(0)), None);
        assert_eq!(watch.at(15, queued(1)), None);
        assert_eq!(watch.at(24, queued(1)), None, "it moved nine seconds ago");
        assert_eq!(watch.at(25, queued(1)), Some(Due::Cut(Cut::Stalled)));
        let mut watch = Watch::new();
        assert_eq!(watch.at(1, queued(0)), None);
        assert_eq!(watch.at(5, SILENT), None);
        assert_eq!(watch.at(12, queued(0)), None, "the queue was empty in between");
    }

    #[test]
    fn initialize_has_its_time_however_lively_the_peer_is() {
        let mut watch = Watch::new();
        let stranger = |heard| Signs { initialized: false, heard, ..SILENT };
        for second in 1..60 {
            assert_eq!(watch.at(second, stranger(second)), None);
        }
        assert_eq!(watch.at(60, stranger(60)), Some(Due::Close(CloseReason::NotInitialized)));
        assert_eq!(Watch::new().at(61, Signs { heard: 1, ..SILENT }), None, "initialized");
    }

    #[test]
    fn a_goodbye_has_its_time_and_no_other_clock_runs() {
        let mut watch = Watch::new();
        let closing = Signs { closing: true, initialized: false, queued: true, ..SILENT };
        assert_eq!(watch.at(100, closing), None);
        assert_eq!(watch.at(101, closing), None);
        assert_eq!(watch.at(102, closing), Some(Due::Cut(Cut::CloseOverdue)));
    }
}
