//! Mailboxes of actors on other arbiters.

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
