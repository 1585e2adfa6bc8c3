//! The relay: the other side of remote control, for whoever has no backend (spec: remote control 16).
//!
//! ```text
//!  phone ──▶ Controller ──▶ ServerLink ──▶ server       one Controller for each socket of a phone,
//!                │          (Exchange)                  one ServerLink for each server
//!  page ───▶  Relay ──▶ Store
//! ```
//!
//! The actor [`Relay`] knows accounts, servers and devices, and who may speak to whom. What a socket says never reaches it:
//! that goes through the [`Exchange`](exchange::Exchange) of one server, which reads no payload. All of them share one arbiter
//! with the sockets; the store has a thread of its own.

mod codes;
mod controller;
mod devices;
mod end;
mod exchange;
mod messages;
mod names;
mod overview;
mod push;
mod pusher;
pub mod secrets;
mod server_link;
mod servers;
mod settings;
mod socket;
pub mod store;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use actix_web::HttpResponse;

use crate::clock::Clock;
use crate::context::Context;
use crate::mailbox;
use crate::protocol::remote::Machine;
use crate::store::{Question, Store, ask};
use crate::vital::Vitals;
use crate::wire::close::CloseReason;
use end::End;
use pusher::Pusher;
use server_link::{AskMachine, Connected, Disconnected, EndClient, EndLink, FromServer, ServerLink};
use servers::ServerTokens;
use socket::{Heard, Outbox};
use store::{Bearer, Survey, Surveyed};

pub use controller::Admitted;
pub use messages::{
    AccountToken, AdmitPhone, AdmitServer, AskDevice, AskOverview, AskPairing, ClaimAnswer, ClaimCode, DeviceView,
    EndClientPairing, EndRelay, EnrollServer, ListClients, MachineOverview, MachineView, Overview, RefreshServer,
    RelayRefusal, RenameClient, ServerAdmitted, StartPairing, SubscribeDevice, UnsubscribeDevice,
};
pub use pusher::{NoKey, PushKey, PushParts};
pub use settings::RelaySettings;
pub use socket::Socket;

/// See the module's documentation. Lives on the arbiter of the sockets.
pub struct Relay {
    settings: Arc<RelaySettings>,
    store: Arc<Addr<Store>>,
    clock: Clock,
    tokens: ServerTokens,
    /// By the id of the server. One for each server that has connected, or that a phone has asked for.
    links: HashMap<String, Addr<ServerLink>>,
    /// Tells phones that are away; `None` without a key.
    pusher: Option<Addr<Pusher>>,
    /// What the last survey said.
    version: i64,
}

/// Answers a request of a route.
type Answer<T> = ResponseActFuture<Relay, Result<T, RelayRefusal>>;

impl Relay {
    /// Starts the relay on the calling arbiter, which must be that of the sockets. `vitals` is told when it ends.
    /// With `push` it tells phones that are away when a machine waits for a person.
    pub fn start(
        settings: RelaySettings,
        store: Arc<Addr<Store>>,
        clock: Clock,
        vitals: &Vitals,
        push: Option<PushParts>,
    ) -> Arc<Addr<Self>> {
        let (address, mailbox) = mailbox::reserve(settings.mailbox_messages);
        let (settings, tokens) = (Arc::new(settings), ServerTokens::default());
        let pusher = push.map(|parts| Pusher::start(parts, settings.clone(), store.clone(), clock.clone()));
        let relay = Self { settings, store, clock, tokens, links: HashMap::new(), pusher, version: 0 };
        mailbox.vital(vitals.watch("relay")).run(relay);
        address
    }

    fn now(&self) -> i64 {
        self.clock.unix_ms() / 1000
    }

    fn ask<Q: Question>(&self, question: Q) -> impl Future<Output = Result<Q::Answer, RelayRefusal>> + use<Q> {
        let asked = ask(&self.store, question);
        async move { Ok(asked.await?) }
    }

    /// The link of a server, which is made if there is none yet.
    fn link(&mut self, server_id: &str) -> Addr<ServerLink> {
        if let Some(link) = self.links.get(server_id) {
            return link.clone();
        }
        let settings = Rc::new((*self.settings).clone());
        let link = ServerLink::new(server_id.to_owned(), settings, self.clock.clone(), self.pusher.clone());
        let link = (*mailbox::start(self.settings.link_mailbox_messages, link)).clone();
        self.links.insert(server_id.to_owned(), link.clone());
        link
    }

    /// Whether a machine can be reached.
    fn machine(&self, server_id: &str) -> impl Future<Output = Machine> + use<> {
        let asked = self.links.get(server_id).map(|link| link.send(AskMachine));
        async move {
            match asked {
                Some(asked) => asked.await.unwrap_or(Machine::Asleep { since: None }),
                None => Machine::Asleep { since: None },
            }
        }
    }

    /// Ends the streams of a controller.
    fn end_client(&self, server_id: &str, client: String) -> impl Future<Output = ()> + use<> {
        let ended = self.links.get(server_id).map(|link| link.send(EndClient { client }));
        async move {
            if let Some(ended) = ended {
                // A link that has ended has no streams.
                let _ = ended.await;
            }
        }
    }

    /// Ends what another process has taken the rights of, such as `relay token remove`.
    fn survey(&mut self, ctx: &mut Context<Self>) {
        let asked = self.ask(Survey { version: self.version });
        ctx.spawn(wrap_future::<_, Self>(asked).map(|answer, relay, ctx| {
            let Ok(Surveyed { version, existing }) = answer else { return };
            relay.version = version;
            let Some((servers, clients)) = existing else { return };
            relay.tokens.retain(|server| servers.contains(server));
            let gone: Vec<String> = relay.links.keys().filter(|server| !servers.contains(*server)).cloned().collect();
            for link in gone.iter().filter_map(|server| relay.links.remove(server)) {
                ctx.spawn(wrap_future::<_, Self>(link.send(EndLink { why: End::Revoked })).map(|_, _, _| ()));
            }
            let clients = Arc::new(clients);
            for link in relay.links.values() {
                let kept = link.send(server_link::KeepClients { clients: clients.clone() });
                ctx.spawn(wrap_future::<_, Self>(kept).map(|_, _, _| ()));
            }
        }));
    }
}

impl AccountToken {
    fn bearer(&self) -> Bearer {
        Bearer { digest: secrets::digest(self.token.expose()), account_id: self.account_id.clone() }
    }
}

impl ServerAdmitted {
    /// Serves the server on an upgraded connection. It has processed everything up to `cursor`.
    ///
    /// # Errors
    /// The link has ended.
    pub async fn serve(self, socket: Socket, cursor: Option<String>) -> Result<HttpResponse, RelayRefusal> {
        let Self { link, settings } = self;
        // Everything that is kept may be sent at once.
        let most_bytes = settings.server_waiting_bytes + 2 * settings.server_kept_bytes;
        let outbox = Outbox::new(most_bytes, settings.server_waiting_bytes);
        let connected = link.send(Connected { outbox: outbox.clone(), cursor }).await;
        let number = connected.map_err(|_| RelayRefusal::Failed)?;
        let to_end = link.clone();
        let hear = async move |heard| {
            let text = match heard {
                Heard::Text(text) => Some(text),
                Heard::Pong => None,
            };
            // A link that has ended has ended its sockets.
            let _ = link.send(FromServer { socket: number, text }).await;
        };
        let gone = async move || {
            let _ = to_end.send(Disconnected { socket: number }).await;
        };
        Ok(socket.serve(outbox, settings.server_message_bytes, hear, gone))
    }
}

impl Actor for Relay {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(self.settings.check_seconds.duration(), Self::survey);
    }
}

impl Handler<EndRelay> for Relay {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: EndRelay, _: &mut Self::Context) -> Self::Result {
        let why = End::Wire(CloseReason::ShuttingDown);
        let ended: Vec<_> = self.links.drain().map(|(_, link)| link.send(EndLink { why })).collect();
        Box::pin(async move {
            futures_util::future::join_all(ended).await;
        })
    }
}
