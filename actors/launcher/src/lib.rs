//! Starts commands in sessions of their own, confines them by the kernel on request, and ends them with everything that
//! they started.
//!
//! The server never forks. It starts its own binary again as the *launcher* ([`Launcher`]), sends it an [`Order`] and
//! the command's three standard streams, and receives a report:
//!
//! ```text
//!  server ──order, streams──▶ launcher ──clone─▶ supervisor ──fork──▶ command ──▶ whatever it starts
//!         ◀──────report──────────────────────────────┘
//!         ───terminate, kill────────────────────────▶┘
//! ```
//!
//! The supervisor owns everything that the command starts, and ends it. The supervisor of a confined command is the
//! first process of a PID namespace, so the kernel ends the others with it; that of an unconfined command (the launcher
//! itself) adopts orphans and ends them. When the server dies, the supervisor sees the control socket close. The
//! launcher of a confined command stays outside the sandbox, and removes what it had to create on the host.
//!
//! | file | what it is |
//! |---|---|
//! | [`order`] | what the launcher is told |
//! | [`control`] | the socket between server and launcher |
//! | [`init`] | the first process of a container, which reaps what nobody waits for |
//! | [`launch`] | the launcher's life, from its first instruction |
//! | [`supervise`] | waiting, signalling, reaping |
//! | [`confine`] | the layers of the sandbox |
//! | [`peer`] | who is at the other end of a socket |
//! | [`expendable`] | who ends first when memory runs out |
//! | [`sys`] | the system calls that no safe crate offers |

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests know what they open"))]

mod confine;
pub mod control;
mod expendable;
mod init;
mod launch;
#[cfg(target_os = "linux")]
mod mapped;
pub mod order;
mod peer;
mod supervise;
mod sys;

pub use confine::{PROGRAMS, PROTECTED};
pub use control::{Control, Launcher, Prepared, Report};
pub use init::run_if_init;
pub use launch::{reset_signals, run_if_launcher};
pub use order::{Bounds, Confinement, Exec, Order};
pub use peer::is_in_our_namespace;
pub use supervise::kill_below;
// Not about commands, but system calls that no safe crate offers.
pub use sys::{give_back_code, give_back_memory, page_faults};
