//! The link of one server: its socket, if it has one, and the streams of its phones, which outlive sockets at both ends.

mod messages;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio::time::Instant;

use super::RelaySettings;
use super::end::End;
use super::exchange::{Exchange, StreamKey, Wire};
use super::pusher::{Push, Pusher};
use super::secrets;
use super::socket::Outbox;
use crate::clock::Clock;
use crate::context::Context;

pub use messages::{
    AskLink, AskMachine, Attach, Connected, Detach, Disconnected, EndClient, EndLink, FromPhone, FromServer,
    KeepClients, LinkOverview,
};

/// Time between looks for sockets that stall and phones that stay away.
const LOOK: Duration = Duration::from_secs(1);

/// See the module's documentation. Lives on the arbiter of the sockets.
pub struct ServerLink {
    settings: Rc<RelaySettings>,
    clock: Clock,
    server_id: String,
    pusher: Option<Addr<Pusher>>,
    exchange: Exchange<Arc<Outbox>>,
    server: Option<ServerSocket>,
    sockets: u64,
    /// The streams whose phones have lost their sockets, and when.
    away: Vec<(StreamKey, Instant)>,
}

struct ServerSocket {
    number: u64,
    outbox: Arc<Outbox>,
    /// When the last ping was sent, with the cursor that its pong confirms.
    pinged: Option<(Instant, u64)>,
    ponged_at: Instant,
}

impl ServerLink {
    /// A link without a socket and without streams.
    pub(super) fn new(
        server_id: String,
        settings: Rc<RelaySettings>,
        clock: Clock,
        pusher: Option<Addr<Pusher>>,
    ) -> Self {
        let exchange = Exchange::new(settings.clone(), secrets::id("c"));
        Self { settings, clock, server_id, pusher, exchange, server: None, sockets: 0, away: Vec::new() }
    }

    /// Tells the phones that are away if something waits for a person.
    fn tell_phones(&mut self) {
        if let (Some(present), Some(pusher)) = (self.exchange.take_attention(), &self.pusher) {
            // While many are told at once, this is left out: who opens the page sees it.
            let _ = pusher.try_send(Push { server_id: self.server_id.clone(), present });
        }
    }

    fn lose_server(&mut self) {
        self.server = None;
        self.exchange.server_left(self.clock.unix_ms() / 1000);
    }

    /// Pings the server, and cuts it if it does not answer or does not read. Ends the streams of phones that stay away.
    fn look(&mut self) {
        let (settings, latest) = (&self.settings, self.exchange.latest_cursor());
        if let Some(server) = &mut self.server {
            let silent = server.ponged_at.elapsed() > settings.server_pong_seconds.duration();
            if silent || server.outbox.stalled() > settings.stalled_seconds.duration() {
                log::warn!("a server is cut because it {}", if silent { "answers no ping" } else { "does not read" });
                server.outbox.cut();
                self.lose_server();
            } else if server.is_ping_due(settings.server_ping_seconds.duration()) {
                server.ping(latest);
            }
        }
        let patience = self.settings.stream_away_seconds.duration();
        let exchange = &mut self.exchange;
        self.away.retain(|(key, since)| {
            let stays = since.elapsed() < patience;
            if !stays {
                exchange.end(key, End::StreamLost);
            }
            stays
        });
    }
}

impl ServerSocket {
    fn is_ping_due(&self, every: Duration) -> bool {
        self.pinged.is_none_or(|(at, _)| at.elapsed() >= every)
    }

    /// Pings one at a time, so that each pong says what has arrived.
    fn ping(&mut self, cursor: u64) {
        if self.pinged.is_none_or(|(at, _)| self.ponged_at > at) {
            self.pinged = Some((Instant::now(), cursor));
            self.outbox.ping();
        }
    }
}

impl Actor for ServerLink {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(LOOK, |link, _| link.look());
    }
}

impl Handler<Connected> for ServerLink {
    type Result = MessageResult<Connected>;

    fn handle(&mut self, Connected { outbox, cursor }: Connected, _: &mut Self::Context) -> Self::Result {
        self.sockets += 1;
        self.exchange.server_came(outbox.clone(), cursor.as_deref());
        let mut server = ServerSocket { number: self.sockets, outbox, pinged: None, ponged_at: Instant::now() };
        server.ping(self.exchange.latest_cursor());
        self.server = Some(server);
        MessageResult(self.sockets)
    }
}

impl Handler<FromServer> for ServerLink {
    type Result = ();

    fn handle(&mut self, FromServer { socket, text }: FromServer, _: &mut Self::Context) {
        let Some(server) = self.server.as_mut().filter(|server| server.number == socket) else { return };
        match (text, server.pinged) {
            (Some(text), _) => {
                self.exchange.take_from_server(&text);
                self.tell_phones();
            }
            (None, Some((at, cursor))) if server.ponged_at <= at => {
                server.ponged_at = Instant::now();
                self.exchange.server_ponged(cursor);
            }
            (None, _) => {}
        }
    }
}

impl Handler<Disconnected> for ServerLink {
    type Result = ();

    fn handle(&mut self, Disconnected { socket }: Disconnected, _: &mut Self::Context) {
        if self.server.as_ref().is_some_and(|server| server.number == socket) {
            self.lose_server();
        }
    }
}

impl Handler<Attach> for ServerLink {
    type Result = Result<StreamKey, End>;

    fn handle(&mut self, message: Attach, _: &mut Self::Context) -> Self::Result {
        let Attach { client, stream, scopes, outbox } = message;
        let named = stream.map(|stream| StreamKey { client: client.clone(), stream });
        let key = named.filter(|key| self.exchange.knows(key));
        let key = key.unwrap_or_else(|| StreamKey { client, stream: secrets::id("st") });
        self.exchange.phone_came(&key, scopes, outbox)?;
        self.away.retain(|(away, _)| *away != key);
        Ok(key)
    }
}

impl Handler<FromPhone> for ServerLink {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, FromPhone { key, text }: FromPhone, _: &mut Self::Context) -> Self::Result {
        let outbox = self.server.as_ref().map(|server| server.outbox.clone());
        let room = async move {
            if let Some(outbox) = outbox {
                outbox.room().await;
            }
        };
        Box::pin(wrap_future::<_, Self>(room).map(move |(), link, _| link.exchange.take_from_phone(&key, &text)))
    }
}

impl Handler<Detach> for ServerLink {
    type Result = ();

    fn handle(&mut self, Detach { key, outbox }: Detach, _: &mut Self::Context) {
        if self.exchange.phone_left(&key, &outbox) {
            self.away.push((key, Instant::now()));
        }
    }
}

impl Handler<EndClient> for ServerLink {
    type Result = ();

    fn handle(&mut self, EndClient { client }: EndClient, _: &mut Self::Context) {
        self.exchange.end_client(&client, End::Revoked);
        self.away.retain(|(key, _)| key.client != client);
    }
}

impl Handler<KeepClients> for ServerLink {
    type Result = ();

    fn handle(&mut self, KeepClients { clients }: KeepClients, _: &mut Self::Context) {
        self.exchange.end_clients_but(&clients, End::Revoked);
        self.away.retain(|(key, _)| clients.contains(&key.client));
    }
}

impl Handler<EndLink> for ServerLink {
    type Result = ();

    fn handle(&mut self, EndLink { why }: EndLink, _: &mut Self::Context) {
        self.exchange.end_all(why);
        if let Some(server) = self.server.take() {
            server.outbox.end(why);
        }
        self.lose_server();
        self.away.clear();
    }
}

impl Handler<AskMachine> for ServerLink {
    type Result = MessageResult<AskMachine>;

    fn handle(&mut self, _: AskMachine, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.exchange.machine())
    }
}

impl Handler<AskLink> for ServerLink {
    type Result = MessageResult<AskLink>;

    fn handle(&mut self, _: AskLink, _: &mut Self::Context) -> Self::Result {
        MessageResult(LinkOverview { machine: self.exchange.machine(), phones: self.exchange.phones() })
    }
}
