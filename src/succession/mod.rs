//! The server before this one and the server after it. A running server hands its sockets to the next one, which may be
//! another version of the program, and no client is refused meanwhile: who connects waits in the queue of a socket.
//!
//! 1. The running server is asked to (SIGUSR2), and starts the program again with its sockets ([`Successor::start`]).
//! 2. The next server reads its settings and takes the sockets. Then it says that it is ready, and waits
//!    ([`Predecessor::make_way`]). If it fails, the running one goes on as if nothing had happened.
//! 3. The running server accepts nobody any more but on its admin listener, lets work finish, closes the database, and ends.
//!    If the next server has ended meanwhile, it is started once more ([`Handing`]).
//! 4. Its end, however it comes, closes a pipe. The next server opens the database and serves.

mod error;
mod handing;
mod predecessor;
mod successor;

use crate::listen::Inherited;

pub use self::{
    error::HandOverError,
    handing::Handing,
    predecessor::Predecessor,
    successor::{HandedSocket, Next, Purpose, Successor},
};

/// What this process has from the one that started it, and what it can pass on.
#[derive(Default)]
pub struct Succession {
    /// Sockets of a supervisor or of the server before.
    pub inherited: Inherited,
    /// The server before, if it waits for this one.
    pub predecessor: Option<Predecessor>,
    /// How the next server is started; `None` for a process that cannot be replaced by another.
    pub successor: Option<Successor>,
}

impl Succession {
    /// Reads the environment and the command line. Call it once, before another thread starts: it removes variables.
    pub fn of_this_process() -> Self {
        let predecessor = Predecessor::of_environment();
        let successor = if is_all_of_a_container() { None } else { Successor::of_this_process() };
        Self { inherited: Inherited::take(), predecessor, successor }
    }
}

/// Whether the first process is of this program, too: it ends with its child, which is this one.
fn is_all_of_a_container() -> bool {
    let program = |process: &str| std::fs::read_link(format!("/proc/{process}/exe")).ok();
    std::process::id() != 1 && program("1").is_some_and(|first| Some(first) == program("self"))
}
