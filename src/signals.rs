//! Signals of the process.

use std::{
    future::poll_fn,
    io::{self, IsTerminal as _},
    task::Poll,
    time::{Duration, Instant},
};

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Shut down: one of [`ENDING`], or SIGHUP if it means the end of the session.
    Stop,
    /// Reload the settings: SIGHUP otherwise.
    Reload,
    /// Hand the sockets over to a new server: SIGUSR2.
    HandOver,
}

/// The signals of this process. After [`Signals::install`] none of them ends the process by itself.
pub struct Signals {
    ending: AnyOf,
    hangup: Signal,
    hand_over: Signal,
    wish_of_hangup: Wish,
    /// Name of the last signal.
    last: &'static str,
    unused: AnyOf,
}

/// Signals that ask for the end. SIGXCPU warns of the limit on processor time (`ulimit -t`).
const ENDING: [(&str, Number); 4] =
    [("SIGINT", Number::INT), ("SIGTERM", Number::TERM), ("SIGQUIT", Number::QUIT), ("SIGXCPU", Number::XCPU)];

/// Signals that would end the process without a word, and that ask for nothing. At SIGXFSZ a write above the limit on file
/// sizes (`ulimit -f`) fails with EFBIG. Commands are started with the system's defaults again.
const UNUSED: [Number; 7] = [
    Number::USR1,
    Number::ALARM,
    Number::VTALARM,
    Number::PROF,
    Number::IO,
    Number::XFSZ,
    #[cfg(target_os = "linux")]
    Number::POWER,
];

/// Real-time signals, which ask for nothing either: those that no C library uses itself.
#[cfg(target_os = "linux")]
const REAL_TIME: std::ops::RangeInclusive<i32> = 35..=64;
#[cfg(not(target_os = "linux"))]
const REAL_TIME: std::ops::Range<i32> = 0..0;

/// Signals that mean the same.
struct AnyOf(Vec<(&'static str, Signal)>);

impl AnyOf {
    fn install(signals: impl IntoIterator<Item = (&'static str, i32)>) -> io::Result<Self> {
        let listen = |(name, number)| Ok((name, signal(SignalKind::from_raw(number))?));
        signals.into_iter().map(listen).collect::<io::Result<_>>().map(Self)
    }

    /// The name of the next one.
    async fn recv(&mut self) -> &'static str {
        poll_fn(|cx| match self.0.iter_mut().find_map(|(name, it)| it.poll_recv(cx).is_ready().then_some(*name)) {
            Some(name) => Poll::Ready(name),
            None => Poll::Pending,
        })
        .await
    }
}

impl Signals {
    /// Handles signals from now on. Call it before a socket is bound, so that a later signal finds a
    /// process that cleans up.
    pub fn install(wish_of_hangup: Wish) -> io::Result<Self> {
        Ok(Self {
            ending: AnyOf::install(ENDING.map(|(name, number)| (name, number.as_raw())))?,
            hangup: signal(SignalKind::hangup())?,
            hand_over: signal(SignalKind::user_defined2())?,
            wish_of_hangup,
            last: "none",
            unused: AnyOf::install(
                UNUSED.map(Number::as_raw).into_iter().chain(REAL_TIME).map(|number| ("another", number)),
            )?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Wish {
        loop {
            tokio::select! {
                name = self.ending.recv() => {
                    self.last = name;
                    return Wish::Stop;
                }
                _ = self.hangup.recv() => {
                    self.last = "SIGHUP";
                    return self.wish_of_hangup;
                }
                _ = self.hand_over.recv() => {
                    self.last = "SIGUSR2";
                    return Wish::HandOver;
                }
                _ = self.unused.recv() => log::info!("received a signal that asks for nothing"),
            }
        }
    }

    /// Name of the signal that [`Self::next`] has returned for.
    pub fn last(&self) -> &'static str {
        self.last
    }

    /// Waits for the next signal that asks for the end. A reload is kept for [`Self::next`], because settings read
    /// before it may be out of date.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.ending.recv() => {}
            _ = self.hangup.recv(), if self.wish_of_hangup == Wish::Stop => {}
        }
    }

    /// Waits for a signal that asks again for the end. What comes within the time `same` from now is the first one once
    /// more: `timeout` and some supervisors signal the process, and then its group. SIGHUP never forces the end, because a
    /// closing terminal may send it more than once.
    pub async fn force(&mut self, same: Duration) {
        let later = Instant::now() + same;
        loop {
            self.ending.recv().await;
            if Instant::now() >= later {
                return;
            }
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
    use rustix::process::{getpid, kill_process};

    use super::*;

    /// One test for all signals, because they are sent to the whole process and every `Signals` receives them.
    #[actix_rt::test]
    async fn tells_the_signals_apart() {
        let send = |number| kill_process(getpid(), number).unwrap();
        let mut supervised = Signals::install(Wish::Reload).unwrap();

        send(Number::HUP);
        assert_eq!(supervised.next().await, Wish::Reload);
        send(Number::USR2);
        assert_eq!(supervised.next().await, Wish::HandOver);
        send(Number::TERM);
        assert_eq!(supervised.next().await, Wish::Stop);
        send(Number::HUP);
        send(Number::INT);
        supervised.stop().await;
        assert_eq!(supervised.next().await, Wish::Reload, "it was not lost while only the end was waited for");

        let mut on_terminal = Signals::install(Wish::Stop).unwrap();
        send(Number::HUP);
        assert_eq!(on_terminal.next().await, Wish::Stop);

        for unused in UNUSED {
            send(unused);
        }
        send(Number::QUIT);
        assert_eq!(on_terminal.next().await, Wish::Stop, "what asks for nothing ends nothing");

        send(Number::HUP);
        send(Number::INT);
        on_terminal.force(Duration::ZERO).await;
        assert_eq!(on_terminal.next().await, Wish::Stop, "the SIGHUP is still there: it was not taken for a force");
        assert_eq!(wish_of_hangup(true), Wish::Stop);
    }
}
