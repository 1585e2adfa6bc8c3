//! What phones ask about being told when a machine waits for a person.

use actix::fut::wrap_future;
use actix::prelude::*;

use super::messages::{RelayRefusal, SubscribeDevice, UnsubscribeDevice};
use super::pusher::Endpoint;
use super::store::{Device, Subscribe};
use super::{Answer, Relay, secrets};
use crate::protocol::Secret;
use crate::store::ask;

impl Relay {
    fn keep(&self, token: &Secret, endpoint: Option<String>) -> Answer<()> {
        let (at, store) = (self.now(), self.store.clone());
        let digest = secrets::digest(token.expose());
        Box::pin(wrap_future(async move {
            let device = ask(&store, Device { digest, at }).await?.ok_or(RelayRefusal::Unauthorized)?;
            let kept = ask(&store, Subscribe { device_id: device.id, endpoint, at }).await?;
            kept.then_some(()).ok_or(RelayRefusal::Unauthorized)
        }))
    }
}

impl Handler<SubscribeDevice> for Relay {
    type Result = Answer<()>;

    fn handle(&mut self, SubscribeDevice { token, endpoint }: SubscribeDevice, _: &mut Self::Context) -> Self::Result {
        if self.pusher.is_none() {
            return Box::pin(actix::fut::err(RelayRefusal::NotFound("key for push messages")));
        }
        let (most_bytes, anywhere) = (self.settings.push_endpoint_bytes, self.settings.push_anywhere);
        match Endpoint::read(&endpoint, most_bytes, anywhere) {
            Ok(good) => self.keep(&token, Some(good.as_str().to_owned())),
            Err(_) => {
                let wrong = "a push service has an https address that everybody can reach, of a bounded length";
                Box::pin(actix::fut::err(RelayRefusal::Invalid(wrong)))
            }
        }
    }
}

impl Handler<UnsubscribeDevice> for Relay {
    type Result = Answer<()>;

    fn handle(&mut self, UnsubscribeDevice { token }: UnsubscribeDevice, _: &mut Self::Context) -> Self::Result {
        self.keep(&token, None)
    }
}
