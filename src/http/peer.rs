//! What is known about a client before its first byte is read.

use std::{
    any::Any,
    cell::Cell,
    io,
    os::fd::{AsFd, OwnedFd},
};

use actix_web::{dev::Extensions, rt::net::TcpStream};
use rustix::process::geteuid;
use tokio::net::UnixStream;

/// A client that may connect. A request without one is refused.
pub struct Peer {
    kill: Cell<Option<OwnedFd>>,
}

/// Why a connection is dropped before its first byte is read.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("its user {0} is neither the owner of this server nor root")]
    OtherUser(u32),
    #[error("its user cannot be told: {0}")]
    UnknownUser(io::Error),
    #[error("no file descriptor is left for it: {0}")]
    NoDescriptor(io::Error),
}

impl Peer {
    /// A second descriptor of the socket, by which it can be cut even while its own actor is not polled. There is
    /// one for each connection, for its only upgrade.
    pub fn take_kill(&self) -> Option<OwnedFd> {
        self.kill.take()
    }
}

/// Looks at a new connection; what it learns becomes the connection's data. One that may not be here is shut down.
pub fn meet(connection: &dyn Any, data: &mut Extensions) {
    let (checked, socket) = if let Some(stream) = connection.downcast_ref::<UnixStream>() {
        (check_user(stream), stream.as_fd())
    } else if let Some(stream) = connection.downcast_ref::<TcpStream>() {
        (Ok(()), stream.as_fd())
    } else {
        return;
    };
    match checked.and_then(|()| socket.try_clone_to_owned().map_err(Refused::NoDescriptor)) {
        Ok(kill) => {
            data.insert(Peer { kill: Cell::new(Some(kill)) });
        }
        Err(refused) => {
            log::warn!("refused a connection: {refused}");
            // It fails only when the peer has gone already.
            let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
        }
    }
}

/// The mode of the socket file keeps other users out on most systems; the kernel's word on the peer does on all.
fn check_user(stream: &UnixStream) -> Result<(), Refused> {
    let credentials = stream.peer_cred().map_err(Refused::UnknownUser)?;
    let user = credentials.uid();
    log::debug!(user, process = credentials.pid().unwrap_or_default(); "a client connects");
    if may_connect(user) { Ok(()) } else { Err(Refused::OtherUser(user)) }
}

fn may_connect(user: u32) -> bool {
    user == 0 || user == geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn our_own_connection_gets_one_kill_handle() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let mut data = Extensions::new();
        meet(&ours, &mut data);
        let peer = data.get::<Peer>().unwrap();
        assert!(peer.take_kill().is_some());
        assert!(peer.take_kill().is_none());
    }

    #[test]
    fn only_the_owner_and_root_may_connect() {
        let me = geteuid().as_raw();
        assert!(may_connect(me) && may_connect(0));
        assert!(!may_connect(me + 1));
    }

    #[test]
    fn a_connection_of_unknown_kind_gets_no_data() {
        let mut data = Extensions::new();
        meet(&"not a socket", &mut data);
        assert!(data.get::<Peer>().is_none());
    }
}
