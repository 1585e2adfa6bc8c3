//! One phone on one socket: passes its messages on to the link of its server, and watches over its socket.

mod messages;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use actix_web::HttpResponse;

use super::RelaySettings;
use super::end::End;
use super::exchange::{StreamKey, Wire};
use super::server_link::{Attach, Detach, FromPhone, ServerLink};
use super::socket::{Heard, Outbox, Socket};
use crate::context::Context;
use crate::mailbox::start;
use crate::protocol::scope::Scopes;
use crate::wire::close::CloseReason;
pub use messages::{Gone, Said};

/// Time between looks at the socket: seldom, because there may be thousands.
const LOOK: Duration = Duration::from_secs(5);

/// One message at a time, and the end.
const MAILBOX_MESSAGES: usize = 2;

/// Who a phone is, and to which server it may speak.
pub struct Admitted {
    /// Id of the controller.
    pub client: String,
    /// What the phone may do.
    pub scopes: Scopes,
    /// The server's link.
    pub(super) link: Addr<ServerLink>,
    pub(super) settings: Arc<RelaySettings>,
}

/// See the module's documentation. It ends with its socket.
pub struct Controller {
    settings: Rc<RelaySettings>,
    outbox: Arc<Outbox>,
    link: Addr<ServerLink>,
    /// Taken at the start.
    attach: Option<Attach>,
    /// Set once the link has accepted it.
    key: Option<StreamKey>,
}

impl Admitted {
    /// Serves the phone on an upgraded connection. It resumes `stream` if that still exists.
    pub fn serve(self, socket: Socket, stream: Option<String>) -> HttpResponse {
        let Self { client, scopes, link, settings } = self;
        let settings = Rc::new((*settings).clone());
        // Twice what may be unacknowledged, so that a phone that comes back can be sent all of it.
        let outbox = Outbox::new(2 * settings.stream_retained_bytes, settings.stream_retained_bytes);
        let message_bytes = settings.phone_message_bytes;
        let attach = Some(Attach { client, stream, scopes, outbox: outbox.clone() });
        let controller =
            start(MAILBOX_MESSAGES, Controller { settings, outbox: outbox.clone(), link, attach, key: None });
        let to_end = controller.clone();
        let hear = async move |heard| {
            if let Heard::Text(text) = heard {
                // A controller that has ended has ended its socket.
                let _ = controller.send(Said { text }).await;
            }
        };
        let gone = async move || {
            let _ = to_end.send(Gone).await;
        };
        socket.serve(outbox, message_bytes, hear, gone)
    }
}

impl Controller {
    /// Cuts a phone that gives no sign of life or does not read. Its stream waits for it.
    fn look(&self) {
        let (silence, stalled) = (self.outbox.silence(), self.outbox.stalled());
        if silence > self.settings.phone_pong_seconds.duration() || stalled > self.settings.stalled_seconds.duration() {
            log::info!("a phone is cut because it {}", if stalled > silence { "does not read" } else { "is silent" });
            self.outbox.cut();
        }
    }
}

impl Actor for Controller {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(LOOK, |controller, _| controller.look());
        ctx.run_interval(self.settings.phone_ping_seconds.duration(), |controller, _| controller.outbox.ping());
        let Some(attach) = self.attach.take() else { return ctx.stop() };
        // What the phone says meanwhile waits.
        ctx.wait(wrap_future::<_, Self>(self.link.send(attach)).map(|attached, controller, _| match attached {
            Ok(Ok(key)) => controller.key = Some(key),
            Ok(Err(why)) => controller.outbox.end(why),
            Err(_) => controller.outbox.end(End::Wire(CloseReason::Failed)),
        }));
    }
}

impl Handler<Said> for Controller {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Said { text }: Said, _: &mut Self::Context) -> Self::Result {
        let Some(key) = self.key.clone() else { return Box::pin(std::future::ready(())) };
        let passed = self.link.send(FromPhone { key, text });
        let outbox = self.outbox.clone();
        Box::pin(async move {
            if passed.await.is_err() {
                outbox.end(End::Wire(CloseReason::Failed));
            }
        })
    }
}

impl Handler<Gone> for Controller {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: Gone, _: &mut Self::Context) -> Self::Result {
        let detach = self.key.take().map(|key| self.link.send(Detach { key, outbox: self.outbox.clone() }));
        let detached = async move {
            if let Some(detach) = detach {
                // A link that has ended knows no streams.
                let _ = detach.await;
            }
        };
        Box::pin(wrap_future::<_, Self>(detached).map(|(), _, ctx| ctx.stop()))
    }
}
