//! What the operator says by a signal.

use std::io::{self, IsTerminal as _};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// SIGINT or SIGTERM, or SIGHUP where it means the end of the session.
    Stop,
    /// SIGHUP where it means the settings have changed.
    Reload,
}

/// The signals of this process. From [`Signals::install`] on none of them ends the process by itself.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    wish_of_hangup: Wish,
}

impl Signals {
    /// Takes over SIGINT, SIGTERM and SIGHUP. Call it before anything is bound: a signal that comes later finds a
    /// process that cleans up behind itself.
    pub fn install(wish_of_hangup: Wish) -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            wish_of_hangup,
        })
    }

    /// The next signal, whichever it is.
    pub async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.interrupt.recv() => Wish::Stop,
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.hangup.recv() => self.wish_of_hangup,
        }
    }

    /// The next signal that asks for the end. One that asks for a reload waits for [`Self::next`]: what was read before
    /// it came may be out of date already.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv(), if self.wish_of_hangup == Wish::Stop => {}
        }
    }

    /// The next SIGINT or SIGTERM. SIGHUP never forces: a closing terminal may send it more than once.
    pub async fn force(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// What SIGHUP asks of this process. The client of stdio goes away with its session, and so does whoever watches a
/// server in a terminal; a server without a terminal belongs to a supervisor, which means "read your settings again".
pub fn wish_of_hangup(serves_stdio: bool) -> Wish {
    let on_terminal = io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal();
    if serves_stdio || on_terminal { Wish::Stop } else { Wish::Reload }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal as Number, getpid, kill_process};

    use super::*;

    /// One test for all signals: they are sent to the whole process, and every `Signals` hears them.
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
