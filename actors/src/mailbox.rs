//! Mailboxes: the address exists first, the actor is started when everything that it needs exists.

use std::sync::Arc;
use std::time::Duration;

use actix::dev::channel::{AddressReceiver, channel};
use actix::prelude::*;

use crate::context::Context;
use crate::vital::Vital;

/// How long an idle helper thread stays: longer than any process runs.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The mailbox of an actor that is not running yet. It accepts messages up to its bound.
pub(crate) struct Mailbox<A: Actor<Context = Context<A>>> {
    receiver: AddressReceiver<A>,
    vital: Option<Vital>,
}

/// Creates a mailbox for `messages` messages. The bound is exact as long as the address is shared and never cloned:
/// each clone adds a slot.
pub(crate) fn reserve<A: Actor<Context = Context<A>>>(messages: usize) -> (Arc<Addr<A>>, Mailbox<A>) {
    let (sender, receiver) = channel(messages);
    (Arc::new(Addr::new(sender)), Mailbox { receiver, vital: None })
}

impl<A: Actor<Context = Context<A>>> Mailbox<A> {
    /// The server cannot do without the actor: `vital` is told when it ends.
    pub(crate) fn vital(self, vital: Vital) -> Self {
        Self { vital: Some(vital), ..self }
    }

    /// Runs `actor` on the calling arbiter.
    pub(crate) fn run(self, actor: A) {
        actix_rt::spawn(self.life(actor));
    }

    fn life(self, actor: A) -> impl Future<Output = ()> + use<A> {
        Context::life(self.receiver, actor, self.vital)
    }

    /// Runs the actor that `make` creates on `arbiter`.
    pub(crate) fn run_on(self, arbiter: &ArbiterHandle, make: impl FnOnce() -> A + Send + 'static) {
        arbiter.spawn_fn(move || self.run(make()));
    }

    /// Runs the actor that `make` creates on an arbiter, and thus a thread, of its own, which ends with it: blocking
    /// there blocks no other actor.
    pub(crate) fn run_alone(self, make: impl FnOnce() -> A + Send + 'static) {
        let arbiter = arbiter().handle();
        let its_arbiter = arbiter.clone();
        arbiter.spawn_fn(move || {
            let life = self.life(make());
            actix_rt::spawn(async move {
                life.await;
                its_arbiter.stop();
            });
        });
    }
}

/// Starts a vital actor on an arbiter of its own, with a mailbox for `messages` messages.
pub(crate) fn start_alone<A>(messages: usize, vital: Vital, make: impl FnOnce() -> A + Send + 'static) -> Arc<Addr<A>>
where
    A: Actor<Context = Context<A>>,
{
    let (address, mailbox) = reserve(messages);
    mailbox.vital(vital).run_alone(make);
    address
}

/// A new arbiter whose first helper thread starts now and stays. When the user's processes and threads run out, blocking
/// work waits for that thread; without one, the runtime would panic.
fn arbiter() -> Arbiter {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().thread_keep_alive(FOREVER).build();
    // The usual arbiter differs only in that its threads end, and shows the same error.
    let arbiter = Arbiter::try_with_tokio_rt(runtime).unwrap_or_else(|_| Arbiter::new());
    arbiter.spawn_fn(|| drop(actix_rt::task::spawn_blocking(|| ())));
    arbiter
}

/// Starts an actor on the calling arbiter, with a mailbox for `messages` messages.
pub(crate) fn start<A: Actor<Context = Context<A>>>(messages: usize, actor: A) -> Arc<Addr<A>> {
    let (address, mailbox) = reserve(messages);
    mailbox.run(actor);
    address
}

#[cfg(test)]
mod tests {
    use actix::dev::SendError;

    use super::*;

    struct Idle;

    impl Actor for Idle {
        type Context = Context<Self>;
    }

    #[derive(Message)]
    #[rtype(result = "()")]
    struct Nothing;

    impl Handler<Nothing> for Idle {
        type Result = ();

        fn handle(&mut self, _: Nothing, _: &mut Self::Context) {}
    }

    #[actix_rt::test]
    async fn the_bound_holds_before_the_actor_has_started() {
        let arbiter = Arbiter::new();
        let (release, busy) = std::sync::mpsc::sync_channel::<()>(1);
        arbiter.spawn_fn(move || {
            let _ = busy.recv();
        });
        for messages in [1, 40] {
            let (idle, mailbox) = reserve(messages);
            mailbox.run_on(&arbiter.handle(), || Idle);
            for _ in 0..messages {
                assert!(idle.try_send(Nothing).is_ok());
            }
            assert!(matches!(idle.try_send(Nothing), Err(SendError::Full(_))));
        }
        drop(release);
        arbiter.stop();
    }
}
