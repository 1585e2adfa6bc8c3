//! Tells phones that are away that a machine waits for a person: Web Push without any content (RFC 8030), signed by the relay's
//! key (RFC 8292). It has a bounded queue, tells a few at a time, and each device at most once in a while.

mod endpoint;
mod messages;
mod vapid;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use awc::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use awc::http::{Method, StatusCode};
use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::RelaySettings;
use super::store::{ForgetSubscription, Subscription, Subscriptions};
use crate::clock::Clock;
use crate::context::Context;
use crate::mailbox;
use crate::network::{Dialer, Network, Request};
use crate::store::{Store, ask};

pub use endpoint::Endpoint;
pub use messages::Push;
pub use vapid::{NoKey, PushKey};

/// What the pusher needs.
#[derive(Clone, Debug)]
pub struct PushParts {
    /// The ways out.
    pub network: Network,
    /// The key of the relay.
    pub key: PushKey,
}

/// See the module's documentation. Lives on the arbiter of the sockets.
pub struct Pusher {
    settings: Arc<RelaySettings>,
    store: Arc<Addr<Store>>,
    clock: Clock,
    key: PushKey,
    dialer: Dialer,
    queue: VecDeque<Subscription>,
    running: usize,
    /// When each device was told, until it may be told again.
    told: HashMap<String, Instant>,
}

/// What became of a push.
enum Outcome {
    Told,
    /// The subscription exists no more.
    Gone,
    Failed(String),
}

impl Pusher {
    /// Starts it on the calling arbiter.
    pub(super) fn start(
        PushParts { network, key }: PushParts,
        settings: Arc<RelaySettings>,
        store: Arc<Addr<Store>>,
        clock: Clock,
    ) -> Addr<Self> {
        let network = if settings.push_anywhere { network } else { network.public_only() };
        let dialer = network.dialer(settings.push_seconds.duration(), settings.push_at_once);
        let most = settings.push_queue;
        let pusher =
            Self { settings, store, clock, key, dialer, queue: VecDeque::new(), running: 0, told: HashMap::new() };
        (*mailbox::start(most, pusher)).clone()
    }

    /// Queues those that are away and were not told just now.
    fn queue(&mut self, subscriptions: Vec<Subscription>, push: &Push) {
        let (now, pause) = (Instant::now(), self.settings.push_pause_seconds.duration());
        self.told.retain(|_, at| now.duration_since(*at) < pause);
        for it in subscriptions {
            if push.present.contains(&it.client_id) || self.told.contains_key(&it.device_id) {
                continue;
            }
            if self.queue.len() >= self.settings.push_queue {
                return log::warn!("too many phones wait to be told; the rest is not");
            }
            self.told.insert(it.device_id.clone(), now);
            self.queue.push_back(it);
        }
    }

    fn go_on(&mut self, ctx: &mut Context<Self>) {
        while self.running < self.settings.push_at_once {
            let Some(it) = self.queue.pop_front() else { return };
            self.running += 1;
            let (dialer, key, settings) = (self.dialer.clone(), self.key.clone(), self.settings.clone());
            let (now, store) = (self.clock.unix_ms() / 1000, self.store.clone());
            let telling = async move {
                let told = timeout(settings.push_seconds.duration(), tell(&dialer, &key, &settings, &it.endpoint, now));
                match told.await.unwrap_or_else(|_| Outcome::Failed("it took too long".to_owned())) {
                    Outcome::Told => {}
                    Outcome::Gone => {
                        let forget = ForgetSubscription { device_id: it.device_id, endpoint: it.endpoint };
                        if let Err(error) = ask(&store, forget).await {
                            log::warn!("{error}");
                        }
                    }
                    Outcome::Failed(why) => log::warn!("a phone could not be told: {why}"),
                }
            };
            ctx.spawn(wrap_future::<_, Self>(telling).map(|(), pusher, ctx| {
                pusher.running -= 1;
                pusher.go_on(ctx);
            }));
        }
    }
}

/// Tells one device. The answer's body is not read, and a redirect is not followed. No text names the address.
async fn tell(dialer: &Dialer, key: &PushKey, settings: &RelaySettings, endpoint: &str, now: i64) -> Outcome {
    let Ok(endpoint) = Endpoint::read(endpoint, settings.push_endpoint_bytes, settings.push_anywhere) else {
        return Outcome::Gone;
    };
    let signed = key.authorization(&endpoint.origin(), &settings.push_contact, now);
    let value = signed.and_then(|signed| HeaderValue::try_from(signed).ok());
    let (Some(mut authorization), Ok(uri)) = (value, endpoint.as_str().parse()) else { return Outcome::Gone };
    authorization.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, authorization);
    headers.insert(HeaderName::from_static("ttl"), HeaderValue::from(settings.push_life_seconds.0));
    headers.insert(HeaderName::from_static("urgency"), HeaderValue::from_static("high"));
    headers.insert(HeaderName::from_static("content-length"), HeaderValue::from_static("0"));
    let request = Request { method: Method::POST, uri, headers, body: Bytes::new() };
    match dialer.exchange(request).await {
        Ok(answer) if answer.status.is_success() => Outcome::Told,
        Ok(answer) if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE) => Outcome::Gone,
        Ok(answer) => Outcome::Failed(format!("the push service answers {}", answer.status)),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

impl Actor for Pusher {
    type Context = Context<Self>;
}

impl Handler<Push> for Pusher {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, push: Push, _: &mut Self::Context) -> Self::Result {
        let asked = ask(&self.store, Subscriptions { server_id: push.server_id.clone() });
        Box::pin(wrap_future::<_, Self>(asked).map(move |found, pusher, ctx| match found {
            Ok(subscriptions) => {
                pusher.queue(subscriptions, &push);
                pusher.go_on(ctx);
            }
            Err(error) => log::warn!("{error}"),
        }))
    }
}
