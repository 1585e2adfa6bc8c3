//! The message handlers of remote control. Requests of clients are handled in `requests`.

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio::time::timeout;

use super::{EndRemoteControl, MeasureRemoteControl, Meet, RemoteControl};
use crate::metrics::state::RemoteState;
use crate::post::Post;
use crate::protocol::ServerNotification;
use crate::protocol::remote::{RemoteControlRequest, RemoteControlStatusReadResponse};
use crate::remote_link::{HangUp, LinkLost, SendRest};
use crate::reply::Asked;
use crate::router::Audience;

/// From the status: it has changed.
pub(super) struct Changed;

impl StreamHandler<Changed> for RemoteControl {
    fn handle(&mut self, _: Changed, ctx: &mut Self::Context) {
        let news = self.news();
        ctx.post(&self.router, news);
    }
}

impl Handler<Meet> for RemoteControl {
    type Result = ();

    fn handle(&mut self, Meet { connection, client }: Meet, ctx: &mut Self::Context) {
        if std::mem::take(&mut self.awaits_client) {
            self.tools.client_name.replace(client.name.clone());
            self.begin(ctx);
        }
        self.tools.backend.speak_for(client);
        let state = self.status.state();
        let news = self.news();
        let outcome = news.tell(Audience::One(connection), ServerNotification::RemoteControlStatusChanged(state));
        ctx.post(&self.router, outcome);
    }
}

impl Handler<MeasureRemoteControl> for RemoteControl {
    type Result = MessageResult<MeasureRemoteControl>;

    fn handle(&mut self, _: MeasureRemoteControl, _: &mut Self::Context) -> Self::Result {
        let RemoteControlStatusReadResponse { state, last_error } = self.status.read();
        MessageResult(RemoteState { status: state.status.name(), last_error, server_name: state.server_name })
    }
}

impl Handler<LinkLost> for RemoteControl {
    type Result = ();

    fn handle(&mut self, LinkLost { reason }: LinkLost, _: &mut Self::Context) {
        log::warn!("remote control has lost its connection: {reason}");
        self.lost.notify_one();
    }
}

impl Handler<EndRemoteControl> for RemoteControl {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, EndRemoteControl { grace }: EndRemoteControl, ctx: &mut Self::Context) -> Self::Result {
        self.ended = true;
        self.stop_cycle(ctx);
        let link = self.link.clone();
        let hung_up = async move {
            if timeout(grace, link.send_rest.send(SendRest)).await.is_err() {
                log::warn!("remote controllers did not receive their last messages in time");
            }
            link.hang_up.send(HangUp).await
        };
        // An error means that the link has ended, which is equivalent. Stops the actor, which releases the database;
        // otherwise it would watch its own status forever.
        Box::pin(wrap_future::<_, Self>(hung_up).map(|_, _, ctx| ctx.stop()))
    }
}

impl Handler<Asked<RemoteControlRequest>> for RemoteControl {
    type Result = ();

    fn handle(&mut self, Asked { reply, request }: Asked<RemoteControlRequest>, ctx: &mut Self::Context) {
        self.ask(reply, request, ctx);
    }
}
