//! System calls that no safe crate offers. All unsafe code of this program is in this file.
//!
//! The launcher's calls are sound for one reason: it is single-threaded from its start to its end.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::BorrowedFd;

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// Forks this process. Returns `None` in the child.
pub fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: with one thread, no lock can be held by a thread that is missing in the child, so the child may do
    // everything that the parent may.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(Pid::from_raw(pid)),
    }
}

/// Moves this process into new namespaces.
pub fn unshare(namespaces: UnshareFlags) -> io::Result<()> {
    debug_assert!(!namespaces.contains(UnshareFlags::FILES));
    // SAFETY: only unsharing the descriptor table could be unsound, and it is never requested.
    Ok(unsafe { rustix::thread::unshare_unsafe(namespaces) }?)
}

/// Closes all descriptors but the standard streams for a program that this process executes. Best effort: before Linux
/// 5.11 only the close-on-exec flags of the server protect.
pub fn close_others_on_exec() {
    // SAFETY: marks descriptors and closes none that this process still uses.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
}

/// Makes a detached mount tree, or the tree of a directory descriptor, read-only with all mounts below.
pub fn make_read_only(tree: BorrowedFd<'_>) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let attributes = libc::mount_attr { attr_set: libc::MOUNT_ATTR_RDONLY, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
    // SAFETY: the path is a C string, the attributes have the given length, and the kernel only reads both.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Returns free memory to the system from anywhere in the heap; by itself the allocator only returns the end of it.
/// Takes some milliseconds, during which other threads may wait for memory. Does nothing with another allocator.
pub fn give_back_memory() {
    // SAFETY: may be called at any time from any thread; memory in use is not touched.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0)
    };
}
