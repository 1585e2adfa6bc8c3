//! Starts actors on arbiters other than the hub's, with bounded mailboxes.

use std::sync::Arc;

use actix::dev::channel::channel;
use actix::prelude::*;

/// Starts the actor that `make` creates on `arbiter`, with a mailbox for `messages` messages.
///
/// actix would begin with a mailbox for 16 messages until the arbiter starts the actor; on a busy machine the first
/// clients would be refused although their requests fit.
pub(crate) fn start_with<A>(
    arbiter: &ArbiterHandle,
    messages: usize,
    make: impl FnOnce() -> A + Send + 'static,
) -> Arc<Addr<A>>
where
    A: Actor<Context = Context<A>>,
{
    let (sender, receiver) = channel(messages);
    arbiter.spawn_fn(move || {
        Context::with_receiver(receiver).run(make());
    });
    Arc::new(Addr::new(sender))
}

/// Starts the actor on an arbiter, and thus a thread, of its own: blocking there blocks no other actor.
pub(crate) fn start_alone<A>(messages: usize, make: impl FnOnce() -> A + Send + 'static) -> Arc<Addr<A>>
where
    A: Actor<Context = Context<A>>,
{
    start_with(&Arbiter::new().handle(), messages, make)
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
            let idle = start_with(&arbiter.handle(), messages, || Idle);
            for _ in 0..messages {
                assert!(idle.try_send(Nothing).is_ok());
            }
            assert!(matches!(idle.try_send(Nothing), Err(SendError::Full(_))));
        }
        drop(release);
        arbiter.stop();
    }
}
