//! The layers of the sandbox. Each closes gaps of the others.
//!
//! | layer | keeps a command from |
//! |---|---|
//! | user, mount, PID, IPC, network namespaces | changing anything but its writable roots, also by `chmod`, which Landlock does not know; seeing other processes; the network |
//! | no capabilities | undoing the mounts |
//! | Landlock | the same for files once more; devices; signals and abstract sockets beyond the sandbox |
//! | seccomp | Unix sockets without the network, `ptrace`, keys, BPF, new namespaces, pushing input into a terminal |
//!
//! Namespaces and seccomp are required; without them nothing is run. Landlock is added as far as the kernel supports
//! it.

mod devices;
mod landlock;
mod mounts;
mod privileges;
mod system_calls;

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

use plain_file::Links;
use rustix::process::{getegid, geteuid};
use rustix::thread::UnshareFlags;

use crate::order::Confinement;
use crate::sys;

/// Why a command could not be confined.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {cause}")]
pub struct NotConfined {
    step: &'static str,
    cause: String,
}

impl NotConfined {
    /// Adds the failed `step` to an error.
    pub fn because<E: Display>(step: &'static str) -> impl FnOnce(E) -> Self {
        move |cause| Self { step, cause: cause.to_string() }
    }
}

/// The sandbox is active.
pub struct Confined {
    /// Missing features of this kernel, one sentence each.
    pub gaps: Vec<String>,
}

/// Leaves the namespaces of the server. The PID namespace takes effect with the next child.
pub fn enter_namespaces(confinement: &Confinement) -> Result<(), NotConfined> {
    let (uid, gid) = (geteuid(), getegid());
    let mut namespaces = UnshareFlags::NEWUSER | UnshareFlags::NEWNS | UnshareFlags::NEWPID | UnshareFlags::NEWIPC;
    if !confinement.network {
        namespaces |= UnshareFlags::NEWNET;
    }
    sys::unshare(namespaces).map_err(NotConfined::because("the kernel refuses new namespaces to this user"))?;
    // User ids are kept, so that files written by a command belong to the user as expected.
    let map = |file: &str, line: String| {
        plain_file::open_to_write(&Path::new("/proc/self").join(file), Links::Follow, 0)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(NotConfined::because("user namespace"))
    };
    map("setgroups", "deny".to_owned())?;
    map("uid_map", format!("{} {} 1", uid.as_raw(), uid.as_raw()))?;
    map("gid_map", format!("{} {} 1", gid.as_raw(), gid.as_raw()))
}

/// Confines this process, the first of its PID namespace, and everything that it starts.
pub fn confine(confinement: &Confinement) -> Result<Confined, NotConfined> {
    let writable = mounts::arrange(confinement)?;
    privileges::drop_all().map_err(NotConfined::because("privileges"))?;
    let gaps = landlock::restrict(&writable, confinement.network).map_err(NotConfined::because("Landlock"))?;
    system_calls::restrict(confinement.network).map_err(NotConfined::because("seccomp"))?;
    Ok(Confined { gaps })
}
