//! System calls that no safe crate offers. All unsafe code of this program is in this file.
//!
//! The launcher's calls are sound for one reason: it is single-threaded from its start to its end.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
#[cfg(target_os = "linux")]
use std::path::Path;

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

#[cfg(target_os = "linux")]
use crate::mapped;

/// Forks this process. Returns `None` in the child.
pub fn fork() -> io::Result<Option<Pid>> {
    // SAFETY: with one thread, no lock can be held by a thread that is missing in the child, so the child may do
    // everything that the parent may.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(Pid::from_raw(pid)),
    }
}

/// Doubles this process; the child is the first in new namespaces of these kinds. `None` in the child.
pub fn fork_into(namespaces: UnshareFlags) -> io::Result<Option<Pid>> {
    let flags = libc::c_long::from(namespaces.bits().cast_signed()) | libc::c_long::from(libc::SIGCHLD);
    // SAFETY: as `fork`, which makes the same call; without a stack of its own the child goes on with a copy of this one.
    // All further arguments are of no meaning for these flags.
    match unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) } {
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(i32::try_from(pid).ok().and_then(Pid::from_raw)),
    }
}

/// What happens at a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// What the kernel does by itself.
    Default,
    /// Nothing.
    Ignore,
}

/// Sets what happens at each of `signals`; those that cannot be set stay as they are.
pub fn dispose(signals: impl Iterator<Item = i32>, disposition: Disposition) {
    let handler = match disposition {
        Disposition::Default => libc::SIG_DFL,
        Disposition::Ignore => libc::SIG_IGN,
    };
    for signal in signals {
        // SAFETY: no code of ours runs at a signal then.
        unsafe { libc::signal(signal, handler) };
    }
}

/// All signals that there are.
pub fn all_signals() -> impl Iterator<Item = i32> {
    1..=libc::SIGRTMAX()
}

/// Lets every signal through.
pub fn unblock_signals() -> io::Result<()> {
    // SAFETY: a set is plain memory, and the kernel only reads it.
    let done = unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut())
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Blocks every signal that can be blocked, for [`next_signal`].
pub fn block_signals() -> io::Result<()> {
    // SAFETY: a set is plain memory, and the kernel only reads it.
    let done = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut())
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Waits for the next of the blocked signals.
pub fn next_signal() -> i32 {
    let mut number = 0;
    // SAFETY: a set is plain memory, and the number is ours.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigwait(&raw const all, &raw mut number);
    }
    number
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

/// The process that connected to `socket`, whatever becomes of its number. An error on kernels before 6.5.
pub fn peer_process(socket: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    use std::os::fd::{AsRawFd, FromRawFd};
    /// Missing in older versions of the C library's headers.
    const SO_PEERPIDFD: libc::c_int = 77;
    let mut descriptor: libc::c_int = -1;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes, which is the size of the number.
    let done = unsafe {
        let (number, length) = (&raw mut descriptor, &raw mut length);
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, SO_PEERPIDFD, number.cast(), length)
    };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made it, for us.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// The user namespace of `process`. An error on kernels before 6.11, and where the process has ended.
pub fn user_namespace(process: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    use std::os::fd::{AsRawFd, FromRawFd};
    /// `PIDFD_GET_USER_NAMESPACE`: the ninth call of the group 0xff, without an argument.
    const GET_USER_NAMESPACE: u32 = (0xff << 8) | 9;
    // SAFETY: the call takes no argument, and makes a descriptor.
    match unsafe { libc::ioctl(process.as_raw_fd(), GET_USER_NAMESPACE as _, 0) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: the kernel has just made it, for us.
        descriptor => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
    }
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

/// How often this process has touched memory that was not mapped, without reading a disk.
pub fn page_faults() -> u64 {
    // SAFETY: all members are numbers, and the call writes to nothing else.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    usage.ru_minflt.try_into().unwrap_or_default()
}

/// Bytes of the kernel's description of some thousand mappings.
#[cfg(target_os = "linux")]
const SMAPS_BYTES: usize = 4 * 1024 * 1024;

/// Unmaps what this process only reads of the files of its program: the code, mostly. What is used again is mapped again from
/// the system's cache of files, some pages at a time, which takes about a microsecond. So code that ran once, at the start or
/// for a client that has gone, is not counted as resident for ever. Takes some milliseconds.
///
/// # Errors
/// The kernel does not list the mappings.
#[cfg(target_os = "linux")]
pub fn give_back_code() -> io::Result<()> {
    let smaps = plain_file::read_to_string(Path::new("/proc/self/smaps"), SMAPS_BYTES)?;
    for (start, end) in mapped::unchanged(&smaps) {
        // SAFETY: the range is private, not writable, and nothing in it differs from its file, whose bytes it has again at the
        // next access. A refusal changes nothing.
        unsafe { libc::madvise(std::ptr::without_provenance_mut(start), end - start, libc::MADV_DONTNEED) };
    }
    Ok(())
}

/// Other systems count it in another way.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub fn give_back_code() -> io::Result<()> {
    Ok(())
}
