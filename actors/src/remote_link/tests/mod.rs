//! The actor, over real sockets, with a hub behind it.

mod backend;
mod cuts;
mod dialing;
mod ending;
mod serving;

use std::sync::Arc;

use actix::Context;
use actix::prelude::*;
use actix_rt::time::timeout;
use tokio::sync::mpsc;

use super::*;
use crate::connection::ConnectionOrigin;
use crate::connection::stream::narrowing_opener;
use crate::hub::Hub;
use crate::limits::Limits;
use crate::mailbox::reserve;
use crate::network::Network;
use crate::protocol::scope::Scopes;
use crate::start::tests::{Remains, cramped, hub};
use backend::{Backend, SOON, Wire};

/// Stands in for remote control.
struct Listener(mpsc::Sender<String>);

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Handler<DeviceCame> for Listener {
    type Result = ();

    fn handle(&mut self, _: DeviceCame, _: &mut Self::Context) {}
}

impl Handler<LinkLost> for Listener {
    type Result = ();

    fn handle(&mut self, lost: LinkLost, _: &mut Self::Context) {
        self.0.try_send(lost.reason).unwrap();
    }
}

struct Test {
    backend: Backend,
    hub: Hub,
    link: Arc<Addr<RemoteLink>>,
    lost: mpsc::Receiver<String>,
    _remains: Remains,
}

/// Limits under which many streams can work at once.
fn roomy() -> Limits {
    Limits {
        processor_mailbox_messages: 128,
        router_mailbox_messages: 1024,
        threads_mailbox_messages: 256,
        connection_in_flight_requests: 64,
        connection_waiting_requests: 16,
        connection_unread_bytes: 1 << 20,
        json_nesting_levels: 128,
        json_values: 1024,
        ..cramped()
    }
}

/// The link's limits under which many streams can work at once.
fn wide() -> RemoteLinkLimits {
    RemoteLinkLimits {
        streams: 256,
        controller_streams: 32,
        stream_pipe_bytes: 65_536,
        stream_inbound_messages: 128,
        stream_inbound_bytes: 1 << 20,
        stream_retained_envelopes: 128,
        retained_envelopes: 8192,
        retained_bytes: 1 << 26,
        counters: 1024,
        envelope_bytes: 153_600,
        segment_bytes: 102_400,
        segments: 1024,
        segmented_message_bytes: 1 << 20,
        assemblies: 128,
        assembly_bytes: 1 << 22,
        ..RemoteLinkLimits::small()
    }
}

impl Test {
    async fn start(limits: Limits, link: RemoteLinkLimits) -> Self {
        let message_bytes = limits.message_bytes;
        let (hub, remains) = hub(limits);
        let open = Box::new(narrowing_opener(&hub, ConnectionOrigin::RemoteControl, Scopes::ALL));
        let (tell, lost) = mpsc::channel(16);
        let listener = Listener(tell).start();
        let (address, mailbox) = reserve(link.mailbox_messages);
        mailbox.run(RemoteLink::new(RemoteLinkParts {
            network: Network::direct(),
            limits: link,
            message_bytes,
            open,
            own_relay: false,
            lost: listener.clone().recipient(),
            came: listener.recipient(),
        }));
        Self { backend: Backend::start().await, hub, link: address, lost, _remains: remains }
    }

    fn dial(&self) -> Dial {
        Dial {
            url: self.backend.url(),
            server_token: "secret".into(),
            server_id: "srv_1".into(),
            server_name: "vm".into(),
            installation_id: "f1e4eaa2".into(),
            keys: None,
        }
    }

    async fn connect(&self) -> Wire {
        let connecting = async { tokio::join!(self.link.send(self.dial()), self.backend.upgrade()) };
        let (dialed, wire) = timeout(SOON, connecting).await.expect("the dial is answered");
        dialed.unwrap().unwrap();
        wire
    }

    async fn lost(&mut self) -> String {
        timeout(SOON, self.lost.recv()).await.expect("the loss is told").unwrap()
    }
}
