//! A private `/dev` for the sandbox: harmless devices, and terminals and shared memory of its own.
//!
//! The machine's `/dev` contains its disks and its users' terminals. Root, and a user for their own terminals, could
//! open them even on a read-only mount.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::Path;

use plain_file::Links;
use rustix::fs::CWD;
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, mount, move_mount, open_tree};

use crate::sys;

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Lays the sandbox's `/dev` over the machine's. Its shared memory holds `shm_bytes` at most, or half of the machine's.
pub fn replace(shm_bytes: Option<u64>) -> io::Result<()> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let device = |name| Ok((name, open_tree(CWD, Path::new("/dev").join(name), flags)?));
    // A container may lack one or the other.
    let devices = DEVICES.into_iter().filter(|name| Path::new("/dev").join(name).exists());
    let devices = devices.map(device).collect::<io::Result<Vec<(_, OwnedFd)>>>()?;

    let quiet = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("none", "/dev", "tmpfs", quiet, Some(c"size=64k,mode=755"))?;
    let dev = Path::new("/dev");
    for (name, device) in devices {
        let place = dev.join(name);
        plain_file::open_to_write(&place, Links::Refuse, 0o644)?;
        move_mount(device, "", CWD, &place, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    }
    for (name, target) in LINKS {
        symlink(target, dev.join(name))?;
    }
    fs::create_dir(dev.join("pts"))?;
    fs::create_dir(dev.join("shm"))?;
    // From here on /dev itself is read-only; the mounts in it are not.
    sys::make_read_only(plain_file::open_directory(dev)?.as_fd())?;
    mount("none", dev.join("pts"), "devpts", quiet, Some(c"newinstance,ptmxmode=0666,mode=620"))?;
    // To the file system, a size of nothing is no limit.
    let size = shm_bytes.map_or_else(String::new, |bytes| format!(",size={}", bytes.max(1)));
    let options = CString::new(format!("mode=1777{size}"))?;
    mount("none", dev.join("shm"), "tmpfs", quiet | MountFlags::NODEV, Some(options.as_c_str()))?;
    Ok(())
}
