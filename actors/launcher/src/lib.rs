//! Starts commands: in a session of their own, confined by the kernel where that is asked for, and ended as a whole.
//!
//! The server never forks. It starts its own binary a second time as the *launcher* ([`Launcher`]), hands it an [`Order`]
//! and the command's three standard streams, and is told what became of it:
//!
//! ```text
//!  server ──order, streams──▶ launcher ──fork──▶ supervisor ──fork──▶ command ──▶ whatever it starts
//!         ◀──────report──────────────────────────────┘
//!         ───terminate, kill────────────────────────▶┘
//! ```
//!
//! The supervisor owns everything that the command starts and lets nothing outlive it: a confined one is the first
//! process of a PID namespace, so the kernel ends the rest with it; an unconfined one (it is the launcher itself then)
//! adopts orphans and ends them. When the server dies, the supervisor sees its end of the control socket close.
//!
//! | file | what it is |
//! |---|---|
//! | [`order`] | what the launcher is told |
//! | [`control`] | the socket between server and launcher |
//! | [`launch`] | the launcher's life, from its first instruction |
//! | [`supervise`] | waiting, signalling, reaping |
//! | [`confine`] | the layers of the sandbox |
//! | [`sys`] | the system calls that no safe crate offers |

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests know what they open"))]

mod confine;
pub mod control;
mod launch;
pub mod order;
mod supervise;
mod sys;

pub use control::{Control, Launcher, Prepared, Report};
pub use launch::run_if_launcher;
pub use order::{Confinement, Exec, Order};
// Not about commands, but a system call that no safe crate offers.
pub use sys::give_back_memory;
