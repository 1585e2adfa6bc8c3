//! Actors on other arbiters than the hub's, and their mailboxes.

use std::sync::Arc;

use actix::dev::channel::channel;
use actix::prelude::*;

/// Starts what `make` makes on `arbiter`, with a mailbox for so many messages.
///
/// actix would begin with one for 16, until the arbiter comes to start the actor: on a busy machine the first clients of
/// a server would be refused for what fits.
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

/// The same on an arbiter of its own, a thread: whatever the actor does there blocks nobody else.
pub(crate) fn start_alone<A>(messages: usize, make: impl FnOnce() -> A + Send + 'static) -> Arc<Addr<A>>
where
    A: Actor<Context = Context<A>>,
{
    start_with(&Arbiter::new().handle(), messages, make)
}

/// For the `stopped` of an actor that was started alone: its thread ends with it.
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
