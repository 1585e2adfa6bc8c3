//! A test client, for actors that send to clients through the router.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Register, Router};
use crate::connection::kill::Kill;
use crate::connection::messages::Deliver;
use crate::connection::{ConnectionId, ConnectionOrigin};
use crate::protocol::Frame;

/// More frames than any test leaves unread.
const UNREAD_FRAMES: usize = 1024;

/// Waits end within milliseconds; a hang must not stop the test suite.
const SOON: Duration = Duration::from_secs(60);

/// The frames that a client was sent.
pub(crate) struct Frames(mpsc::Receiver<Frame>);

impl Frames {
    /// The next frame.
    pub(crate) async fn next(&mut self) -> Frame {
        timeout(SOON, self.0.recv()).await.expect("the client is sent something").expect("the client stays")
    }

    /// True when all was seen.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

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

/// Registers `connection` with the router and returns the frames sent to it.
pub(crate) async fn listen(router: &Addr<Router>, connection: ConnectionId) -> Frames {
    let (tell, frames) = mpsc::channel(UNREAD_FRAMES);
    let register = Register {
        connection,
        origin: ConnectionOrigin::InProcess,
        address: String::new(),
        deliver: Listener(tell).start().recipient(),
        outbound: Arc::default(),
        pulse: Arc::default(),
        kill: Kill::Token(CancellationToken::new()),
        valid_until: None,
    };
    router.send(register).await.unwrap();
    Frames(frames)
}
