//! Sends a message to another actor of the hub without losing it and without exceeding a bound (laws 1 to 3).

use actix::dev::ToEnvelope;
use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;

use crate::context::Context;

/// What the context of an actor can do besides what actix gives it.
pub trait Post {
    /// Sends `message` at once if the mailbox has room. Otherwise the sending actor pauses until the message is
    /// accepted; meanwhile its own mailbox fills, which slows its senders.
    ///
    /// Use it only along the arrows of the picture in the crate's documentation, so that pauses cannot form a cycle.
    /// Use it once per handler, because two pauses of one actor may end in any order: put what belongs together into
    /// one message (see [`crate::router::Outcome`]).
    fn post<B, M>(&mut self, to: &Addr<B>, message: M)
    where
        B: Actor + Handler<M>,
        B::Context: ToEnvelope<B, M>,
        M: Message + Send + 'static,
        M::Result: Send;
}

impl<A: Actor<Context = Self>> Post for Context<A> {
    fn post<B, M>(&mut self, to: &Addr<B>, message: M)
    where
        B: Actor + Handler<M>,
        B::Context: ToEnvelope<B, M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        post::<A, B, M>(to, message, self);
    }
}

/// The same for an actor with any kind of context; see [`Post::post`].
pub fn post<A, B, M>(to: &Addr<B>, message: M, ctx: &mut A::Context)
where
    A: Actor,
    A::Context: AsyncContext<A>,
    B: Actor + Handler<M>,
    B::Context: ToEnvelope<B, M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    match to.try_send(message) {
        Ok(()) => {}
        Err(SendError::Full(message)) => {
            ctx.wait(wrap_future::<_, A>(to.send(message)).map(|_, _, _| ()));
        }
        Err(SendError::Closed(_)) => {
            log::debug!("{} has ended; a message to it came too late", std::any::type_name::<B>())
        }
    }
}
