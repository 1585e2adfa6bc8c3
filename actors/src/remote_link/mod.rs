//! The link: the WebSocket to the remote-control backend, and the streams of remote controllers on it.
//!
//! It dials on request, and reports when a socket is lost; remote control decides when to dial again. Streams and their
//! unacknowledged messages outlive the socket: see [`session`]. Each stream is an ordinary connection of the hub behind
//! a pipe of lines ([`link`]), with the same brake, router and laws. No stream waits for another, and the
//! socket waits for none: a connection that reads nothing has a bounded queue, above which requests get -32001 and
//! anything else ends the stream; a stream whose controller acknowledges nothing is not read.
//!
//! Segmented messages may have 100 MiB, but [`crate::limits::Limits::message_bytes`] applies as for every connection.

mod attention;
mod dial;
mod end_to_end;
mod limits;
mod link;
mod messages;
mod session;
mod socket;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::context::Context;
use crate::network::Network;
use crate::panics::guarded_future;
use link::Link;
use socket::Socket;

/// The public key that belongs to the private key of a machine; `None` if it is no key.
pub fn public_key(private: &secrecy::SecretSlice<u8>) -> Option<PublicKey> {
    session::public_key(private).ok()
}

/// The words that people compare, in the order of their numbers.
pub fn words() -> impl Iterator<Item = &'static str> {
    session::words()
}

pub use end_to_end::{
    Decide, DeviceCame, Keys, KnownDevice, NewDevice, OpenPairing, PublicKey, SECRET_BYTES, pairing_id, random,
};
pub use limits::RemoteLinkLimits;
pub use link::OpenStream;
pub use messages::{Dial, DialError, EndSession, HangUp, LinkLost, Readmit, Revoke, SendRest};

/// See the module's documentation.
pub struct RemoteLink {
    network: Network,
    limits: Rc<RemoteLinkLimits>,
    message_bytes: usize,
    link: Rc<Link>,
    lost: Recipient<LinkLost>,
    /// Dropping it cancels the dial in progress.
    dialing: Option<DropGuard>,
    socket: Option<SpawnHandle>,
    /// A [`LinkLost`] that waits for a slot in the mailbox.
    telling: Option<SpawnHandle>,
}

/// The collaborators of the link.
pub struct RemoteLinkParts {
    /// The ways out.
    pub network: Network,
    /// The bounds.
    pub limits: RemoteLinkLimits,
    /// Largest message in bytes, as for every connection ([`crate::limits::Limits::message_bytes`]).
    pub message_bytes: usize,
    /// Opens connections of the server.
    pub open: OpenStream,
    /// Whether it leads to a relay of our own, which is told when something waits for a person.
    pub own_relay: bool,
    /// Receives [`LinkLost`]. The only recipient; never cloned.
    pub lost: Recipient<LinkLost>,
    /// Receives [`DeviceCame`]. The only recipient; never cloned.
    pub came: Recipient<DeviceCame>,
}

impl RemoteLink {
    /// A link without a socket. It should run on the arbiter of remote control, not on the hub's.
    pub(crate) fn new(parts: RemoteLinkParts) -> Self {
        let RemoteLinkParts { network, limits, message_bytes, open, own_relay, lost, came } = parts;
        let limits = Rc::new(limits);
        let link = Link::new(limits.clone(), message_bytes, open, came, own_relay);
        Self { network, limits, message_bytes, link, lost, dialing: None, socket: None, telling: None }
    }

    fn hang_up(&mut self, ctx: &mut Context<Self>) {
        self.dialing = None;
        for task in [self.socket.take(), self.telling.take()].into_iter().flatten() {
            ctx.cancel_future(task);
        }
        self.link.socket_is_gone();
    }

    fn serve(&mut self, socket: Socket, ctx: &mut Context<Self>) {
        self.link.replay();
        let running = socket::run(socket, self.link.clone(), self.limits.clone(), self.message_bytes);
        let running = guarded_future("the socket to the backend", running);
        self.socket = Some(ctx.spawn(wrap_future::<_, Self>(running).map(|why, link, ctx| {
            link.socket = None;
            link.link.socket_is_gone();
            link.tell(why.unwrap_or_else(|| "an internal error".to_owned()), ctx);
        })));
    }

    fn tell(&mut self, reason: String, ctx: &mut Context<Self>) {
        match self.lost.try_send(LinkLost { reason }) {
            Ok(()) => {}
            Err(SendError::Full(lost)) => {
                let telling = wrap_future::<_, Self>(self.lost.send(lost)).map(|_, link, _| link.telling = None);
                self.telling = Some(ctx.spawn(telling));
            }
            Err(SendError::Closed(_)) => log::debug!("remote control ended before its link"),
        }
    }
}

impl Actor for RemoteLink {
    type Context = Context<Self>;

    /// Otherwise a stream that is paused forever would keep everything alive.
    fn stopped(&mut self, _: &mut Self::Context) {
        self.link.forget();
    }
}

impl Handler<Dial> for RemoteLink {
    type Result = ResponseActFuture<Self, Result<(), DialError>>;

    fn handle(&mut self, mut message: Dial, ctx: &mut Self::Context) -> Self::Result {
        self.hang_up(ctx);
        self.link.use_keys(message.keys.take());
        let hung_up = CancellationToken::new();
        self.dialing = Some(hung_up.clone().drop_guard());
        let (cursor, limits, given_up) = (self.link.cursor(), self.limits.clone(), hung_up.clone());
        let network = self.network.clone();
        let dialing = async move {
            let dial = dial::dial(&network, &message, cursor.as_deref(), &limits);
            tokio::select! {
                biased;
                () = given_up.cancelled() => Err(hung_up_meanwhile()),
                dialed = tokio::time::timeout(limits.dial_seconds.duration(), dial) => dialed.unwrap_or(Err(DialError::TimedOut)),
            }
        };
        let dialing = guarded_future("a dial to the backend", dialing);
        Box::pin(wrap_future::<_, Self>(dialing).map(move |dialed, link, ctx| {
            let socket = dialed.unwrap_or_else(|| Err(DialError::Failed("an internal error".to_owned())))?;
            if hung_up.is_cancelled() {
                return Err(hung_up_meanwhile());
            }
            link.serve(socket, ctx);
            Ok(())
        }))
    }
}

fn hung_up_meanwhile() -> DialError {
    DialError::Failed("hung up meanwhile".to_owned())
}

impl Handler<HangUp> for RemoteLink {
    type Result = ();

    fn handle(&mut self, _: HangUp, ctx: &mut Self::Context) {
        self.hang_up(ctx);
    }
}

impl Handler<SendRest> for RemoteLink {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: SendRest, _: &mut Self::Context) -> Self::Result {
        let link = self.link.clone();
        Box::pin(async move { link.send_rest().await })
    }
}

impl Handler<EndSession> for RemoteLink {
    type Result = ();

    fn handle(&mut self, _: EndSession, ctx: &mut Self::Context) {
        self.hang_up(ctx);
        self.link.forget();
    }
}

impl Handler<Revoke> for RemoteLink {
    type Result = ();

    fn handle(&mut self, Revoke { client, confirmed }: Revoke, _: &mut Self::Context) {
        self.link.revoke(&client, confirmed);
    }
}

impl Handler<Readmit> for RemoteLink {
    type Result = ();

    fn handle(&mut self, _: Readmit, _: &mut Self::Context) {
        self.link.readmit();
    }
}

impl Handler<OpenPairing> for RemoteLink {
    type Result = ();

    fn handle(&mut self, pairing: OpenPairing, _: &mut Self::Context) {
        self.link.open_pairing(pairing);
    }
}

impl Handler<Decide> for RemoteLink {
    type Result = ();

    fn handle(&mut self, decision: Decide, _: &mut Self::Context) {
        self.link.decide(&decision);
    }
}
