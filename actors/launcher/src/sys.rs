//! The system calls that no safe crate offers. Everything unsafe of this program is on this page.
//!
//! What makes those of the launcher sound is the same for all: it has one thread, from its start to its end.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::BorrowedFd;

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// Doubles this process. `None` in the child.
pub fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: with one thread no lock can be held by a thread that the child does not have, so the child may do
    // everything that the parent may.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(Pid::from_raw(pid)),
    }
}

/// Leaves these namespaces for new ones.
pub fn unshare(namespaces: UnshareFlags) -> io::Result<()> {
    debug_assert!(!namespaces.contains(UnshareFlags::FILES));
    // SAFETY: only an unshared descriptor table can do harm, and this is never asked for.
    Ok(unsafe { rustix::thread::unshare_unsafe(namespaces) }?)
}

/// Lets no descriptor but the standard streams reach a program that this process executes. Best effort on kernels
/// before 5.11, where the server's own care (everything it opens is close-on-exec) stands alone.
pub fn close_others_on_exec() {
    // SAFETY: marks descriptors; closes none that this process still uses.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
}

/// Makes a detached mount tree, or the tree that a directory descriptor stands in, read-only with all mounts below.
pub fn make_read_only(tree: BorrowedFd<'_>) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let attributes = libc::mount_attr { attr_set: libc::MOUNT_ATTR_RDONLY, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
    // SAFETY: the path is a C string, the attributes are as long as said, and the kernel only reads both.
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

/// Gives free memory back to the system wherever it lies; left alone, the allocator gives back only what lies at its
/// end. Takes some milliseconds, during which other threads may wait for memory. Nothing where the allocator is another.
pub fn give_back_memory() {
    // SAFETY: may be called at any time from any thread; memory in use stays as it is.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0)
    };
}
