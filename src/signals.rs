//! Signals of the process.

use std::io::{self, IsTerminal as _};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Shut down: SIGINT or SIGTERM, or SIGHUP if it means the end of the session.
    Stop,
    /// Reload the settings: SIGHUP otherwise.
    Reload,
}

/// The signals of this process. After [`Signals::install`] none of them ends the process by itself.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    wish_of_hangup: Wish,
    /// Name of the last signal.
    last: &'static str,
    /// Heard and not obeyed: a write above the limit on file sizes (`ulimit -f`) fails with EFBIG instead of ending the
    /// process. Commands are started with the system's default again.
    _file_size: Signal,
}

impl Signals {
    /// Handles SIGINT, SIGTERM and SIGHUP from now on. Call it before a socket is bound, so that a later signal finds a
    /// process that cleans up.
    pub fn install(wish_of_hangup: Wish) -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            wish_of_hangup,
            last: "none",
            _file_size: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Wish {
        let (name, wish) = tokio::select! {
            _ = self.interrupt.recv() => ("SIGINT", Wish::Stop),
            _ = self.terminate.recv() => ("SIGTERM", Wish::Stop),
            _ = self.hangup.recv() => ("SIGHUP", self.wish_of_hangup),
        };
        self.last = name;
        wish
    }

    /// Name of the signal that [`Self::next`] has returned for.
    pub fn last(&self) -> &'static str {
        self.last
    }

    /// Waits for the next signal that asks for the end. A reload is kept for [`Self::next`], because settings read
    /// before it may be out of date.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv(), if self.wish_of_hangup == Wish::Stop => {}
        }
    }

    /// Waits for the next SIGINT or SIGTERM. SIGHUP never forces the end, because a closing terminal may send it more
    /// than once.
    pub async fn force(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The meaning of SIGHUP. For a server on stdio or in a terminal it is the end of the session. A server without a
/// terminal belongs to a supervisor, which means "reload your settings".
pub fn wish_of_hangup(serves_stdio: bool) -> Wish {
    let on_terminal = io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal();
    if serves_stdio || on_terminal { Wish::Stop } else { Wish::Reload }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal as Number, getpid, kill_process};

    use super::*;

    /// One test for all signals, because they are sent to the whole process and every `Signals` receives them.
    #[actix_rt::test]
    async fn tells_the_signals_apart() {
        let send = |number| kill_process(getpid(), number).unwrap();
        let mut supervised = Signals::install(Wish::Reload).unwrap();

        send(Number::HUP);
        assert_eq!(supervised.next().await, Wish::Reload);
        send(Number::TERM);
        assert_eq!(supervised.next().await, Wish::Stop);
        send(Number::HUP);
        send(Number::INT);
        supervised.stop().await;
        assert_eq!(supervised.next().await, Wish::Reload, "it was not lost while only the end was waited for");

        let mut on_terminal = Signals::install(Wish::Stop).unwrap();
        send(Number::HUP);
        assert_eq!(on_terminal.next().await, Wish::Stop);

        send(Number::HUP);
        send(Number::INT);
        on_terminal.force().await;
        assert_eq!(on_terminal.next().await, Wish::Stop, "the SIGHUP is still there: it was not taken for a force");
        assert_eq!(wish_of_hangup(true), Wish::Stop);
    }
}
