//! The layers of the sandbox. Each closes gaps of the others.
//!
//! | layer | keeps a command from |
//! |---|---|
//! | user, mount, PID, IPC, network namespaces | changing anything but its writable roots, also by `chmod`; seeing other processes; the network |
//! | no capabilities | undoing the mounts |
//! | Landlock | the same for files once more; devices; signals and abstract sockets beyond the sandbox |
//! | seccomp | Unix sockets without the network, `ptrace`, keys, BPF, new namespaces, pushing input into a terminal |
//!
//! What may be written is decided first, outside the sandbox ([`plan`]): each path is followed to what it names. Inside,
//! everything is opened again, and must still be the same.
//!
//! Namespaces and seccomp are required; without them nothing is run. Landlock is added as far as the kernel supports
//! it.

mod aliases;
mod devices;
mod home;
mod landlock;
mod mounts;
mod placeholders;
mod places;
mod plan;
mod privileges;
mod resolve;
mod system_calls;

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};

use plain_file::Links;
use rustix::process::{DumpableBehavior, Gid, Uid, set_dumpable_behavior};
use rustix::thread::UnshareFlags;

use crate::expendable::Expendable;

pub use home::PROGRAMS;
pub use plan::{PROTECTED, Plan};
pub use resolve::resolve;

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
    /// The way to this process's standing when memory runs out.
    pub expendable: Option<Expendable>,
}

/// The namespaces that a confined command is alone in.
pub fn namespaces(plan: &Plan) -> UnshareFlags {
    let own = UnshareFlags::NEWUSER | UnshareFlags::NEWNS | UnshareFlags::NEWPID | UnshareFlags::NEWIPC;
    if plan.network { own } else { own | UnshareFlags::NEWNET }
}

/// Makes this process, the first in its namespaces, the user that started it: files that a command writes belong to
/// them, as they expect. `uid` and `gid` are those outside.
pub fn become_user(uid: Uid, gid: Gid) -> Result<(), NotConfined> {
    let map = |file: &str, line: String| {
        plain_file::open_to_write(&Path::new("/proc/self").join(file), Links::Follow, 0)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(NotConfined::because("user namespace"))
    };
    map("setgroups", "deny".to_owned())?;
    map("uid_map", format!("{uid} {uid} 1", uid = uid.as_raw()))?;
    map("gid_map", format!("{gid} {gid} 1", gid = gid.as_raw()))
}

/// Closes the sandbox around this process, the first of its PID namespace, and all that it starts.
pub fn confine(plan: Plan, shm_bytes: Option<u64>) -> Result<Confined, NotConfined> {
    // Where this process stands, and what it has open, is to be seen in /proc by what it starts.
    std::env::set_current_dir("/").map_err(NotConfined::because("working directory"))?;
    mounts::arrange(&plan, shm_bytes)?;
    let expendable = Expendable::of_first_process();
    let writable: Vec<PathBuf> = plan.roots.iter().map(|root| root.path.clone()).collect();
    let network = plan.network;
    // With it goes every descriptor that leads past the mounts.
    drop(plan);
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(NotConfined::because("privacy of the supervisor"))?;
    privileges::drop_all().map_err(NotConfined::because("privileges"))?;
    let gaps = landlock::restrict(&writable, network).map_err(NotConfined::because("Landlock"))?;
    system_calls::restrict(network).map_err(NotConfined::because("seccomp"))?;
    Ok(Confined { gaps, expendable })
}

/// Removes what launchers left behind that were killed, in the directories that `home` remembers.
pub fn sweep(home: &Path) {
    let places = places::remembered(home);
    placeholders::sweep(places.iter().map(PathBuf::as_path), &PROTECTED);
}
