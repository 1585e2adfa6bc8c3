//! Mailboxes: the address exists first, the actor is started when everything that it needs exists.

use std::sync::Arc;

use actix::dev::channel::{AddressReceiver, channel};
use actix::prelude::*;

/// The mailbox of an actor that is not running yet. It accepts messages up to its bound.
pub(crate) struct Mailbox<A: Actor<Context = Context<A>>>(AddressReceiver<A>);

/// Creates a mailbox for `messages` messages. The bound is exact as long as the address is shared and never cloned:
/// each clone adds a slot.
pub(crate) fn reserve<A: Actor<Context = Context<A>>>(messages: usize) -> (Arc<Addr<A>>, Mailbox<A>) {
    let (sender, receiver) = channel(messages);
    (Arc::new(Addr::new(sender)), Mailbox(receiver))
}

impl<A: Actor<Context = Context<A>>> Mailbox<A> {
    /// Runs `actor` on the calling arbiter.
    pub(crate) fn run(self, actor: A) {
        Context::with_receiver(self.0).run(actor);
    }

    /// Runs the actor that `make` creates on `arbiter`.
    pub(crate) fn run_on(self, arbiter: &ArbiterHandle, make: impl FnOnce() -> A + Send + 'static) {
        arbiter.spawn_fn(move || self.run(make()));
    }

    /// Runs the actor that `make` creates on an arbiter, and thus a thread, of its own: blocking there blocks no other
    /// actor.
    pub(crate) fn run_alone(self, make: impl FnOnce() -> A + Send + 'static) {
        self.run_on(&Arbiter::new().handle(), make);
    }
}

/// Reserves a mailbox for `messages` messages, and runs the actor that `make` creates on an arbiter of its own.
pub(crate) fn start_alone<A>(messages: usize, make: impl FnOnce() -> A + Send + 'static) -> Arc<Addr<A>>
where
    A: Actor<Context = Context<A>>,
{
    let (address, mailbox) = reserve(messages);
    mailbox.run_alone(make);
    address
}

/// Ends the thread of an actor that was started with [`start_alone`]. Call it in `stopped`.
pub(crate) fn end_alone() {
    if let Some(arbiter) = Arbiter::try_current() {
        arbiter.stop();
    }
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
