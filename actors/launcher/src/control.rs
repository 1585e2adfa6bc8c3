//! The control socket between server and launcher. It is the launcher's standard input.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};

use crate::order::Order;

/// The only argument of a launcher. Its order is not on the command line, where every user could read it.
pub const ROLE: &str = "--command-launcher";

/// Descriptors that are sent with an order: the order itself, and the command's standard streams.
const DESCRIPTORS: usize = 4;

/// Longest report, in bytes.
pub const REPORT_BYTES: usize = 4096;

/// Orders to a supervisor, one byte each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Send SIGTERM to everything.
    Terminate,
    /// Send SIGKILL to everything.
    Kill,
}

impl Control {
    /// The byte on the socket.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Terminate => b't',
            Self::Kill => b'k',
        }
    }
}

/// The one report of a launcher. Afterwards its exit code is that of the command, or 128 + N after signal N.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// The command is running.
    Started,
    /// The command could not be started; the text is the operating system's.
    NotStarted(String),
    /// The command cannot be confined as requested; nothing was run.
    NotConfined(String),
    /// The answer to a probe: the missing layers, one sentence each.
    Gaps(Vec<String>),
}

impl Report {
    /// Parses a report.
    ///
    /// # Errors
    /// There are no bytes: the launcher died before it could report.
    pub fn read(bytes: &[u8]) -> io::Result<Self> {
        postcard::from_bytes(bytes).map_err(|_| io::Error::other("the launcher ended without a report"))
    }

    pub(crate) fn write(&self, mut control: &UnixStream) {
        let bytes = postcard::to_stdvec(self).unwrap_or_default();
        // If the server is gone, the closed socket ends the supervisor.
        let _ = control.write_all(&bytes[..bytes.len().min(REPORT_BYTES)]);
    }
}

/// A launcher that is ready to start.
pub struct Prepared {
    /// Starts it, without the server's environment.
    pub command: Command,
    /// The server's end of the control socket.
    pub control: UnixStream,
}

/// The program of this process, which can be started again as a launcher.
#[derive(Clone, Debug)]
pub struct Launcher(PathBuf);

impl Launcher {
    /// `None` if `main` did not begin with [`crate::run_if_launcher`]: a second process of such a program would do
    /// anything but launch.
    pub fn this_program() -> Option<Self> {
        // The running binary, even if it was replaced on disk.
        SELF.load(Ordering::Acquire).then(|| Self("/proc/self/exe".into()))
    }

    /// Prepares a launcher for `order`. The streams are the command's ends; a probe does not use them.
    ///
    /// # Errors
    /// Errors of the operating system, usually about too many open files.
    pub fn prepare(&self, order: &Order, streams: [&OwnedFd; 3]) -> io::Result<Prepared> {
        prepare(&self.0, order, streams)
    }
}

/// Whether this program can act as a launcher.
static SELF: AtomicBool = AtomicBool::new(false);

/// Records that it can. Called by [`crate::run_if_launcher`].
pub(crate) fn know_role() {
    SELF.store(true, Ordering::Release);
}

fn prepare(program: &Path, order: &Order, streams: [&OwnedFd; 3]) -> io::Result<Prepared> {
    let order = memory_file(order)?;
    let (ours, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).map_err(io::Error::from)?;
    let descriptors = [order.as_fd(), streams[0].as_fd(), streams[1].as_fd(), streams[2].as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(&ours, &[IoSlice::new(b"o")], &mut ancillary, SendFlags::empty())?;
    let mut command = Command::new(program);
    // In a group of its own from the first instant, so that no signal for the server's group can end it.
    command.process_group(0);
    command.arg(ROLE).env_clear().stdin(Stdio::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(Prepared { command, control: ours.into() })
}

fn memory_file(order: &Order) -> io::Result<OwnedFd> {
    let bytes = postcard::to_stdvec(order).map_err(io::Error::other)?;
    let mut file = File::from(memfd_create("order", MemfdFlags::CLOEXEC)?);
    file.write_all(&bytes)?;
    file.rewind()?;
    Ok(file.into())
}

/// Receives the order and the command's streams from `control`.
pub(crate) fn receive(control: &UnixStream) -> io::Result<(Order, [OwnedFd; 3])> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(control, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let descriptors: Vec<OwnedFd> = descriptors.by_ref().flatten().collect();
    let [order, streams @ ..]: [OwnedFd; DESCRIPTORS] =
        descriptors.try_into().map_err(|_| io::Error::other("an order comes with four descriptors"))?;
    let mut bytes = Vec::new();
    File::from(order).read_to_end(&mut bytes)?;
    Ok((postcard::from_bytes(&bytes).map_err(io::Error::other)?, streams))
}
