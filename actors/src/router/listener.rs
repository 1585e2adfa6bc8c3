//! A client for the tests of whoever speaks to clients through the router.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Register, Router};
use crate::connection::kill::Kill;
use crate::connection::messages::Deliver;
use crate::connection::{ConnectionId, ConnectionOrigin};
use crate::protocol::Frame;

/// More than any test leaves unread.
const UNREAD_FRAMES: usize = 1024;

struct Listener(mpsc::Sender<Frame>);

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Handler<Deliver> for Listener {
    type Result = ();

    fn handle(&mut self, message: Deliver, _: &mut Self::Context) {
        if let Deliver::Frame { frame, .. } = message {
            self.0.try_send(frame).unwrap();
        }
    }
}

/// Registers `connection` with the router; what it is sent comes back.
pub(crate) async fn listen(router: &Addr<Router>, connection: ConnectionId) -> mpsc::Receiver<Frame> {
    let (tell, frames) = mpsc::channel(UNREAD_FRAMES);
    let register = Register {
        connection,
        origin: ConnectionOrigin::InProcess,
        deliver: Listener(tell).start().recipient(),
        outbound: Arc::default(),
        pulse: Arc::default(),
        kill: Kill::Token(CancellationToken::new()),
        valid_until: None,
    };
    router.send(register).await.unwrap();
    frames
}
