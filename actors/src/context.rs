//! The context in which actors run: actix's, except that a panic costs no more than what panicked.
//!
//! With actix alone a panic in a handler drops the actor and closes its mailbox for good. Here the actor goes on:
//!
//! - A message whose handler panics is dropped, and with it the [`crate::reply::Reply`] that it carries, which answers
//!   -32603.
//! - A future that panics is dropped in the same way; a timer ticks on.
//! - An actor that panics while it starts ends, because it might lack half of what it needs.
//!
//! The state of an actor must therefore be sound wherever one of its handlers can panic: handlers change it last, after
//! everything that can fail.

use std::any::type_name;
use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Duration;

use actix::dev::channel::AddressReceiver;
use actix::dev::{AsyncContextParts, ContextFut, ContextParts, Envelope, Mailbox, ToEnvelope};
use actix::fut::{ActorFuture, wrap_future};
use actix::prelude::{Actor, ActorContext, ActorState, Addr, AsyncContext, Handler, Message, SpawnHandle};
use pin_project_lite::pin_project;
use tokio::sync::oneshot;

use crate::panics::guarded;
use crate::vital::Vital;

/// See the module's documentation.
pub struct Context<A: Actor<Context = Self>> {
    parts: ContextParts<A>,
}

impl<A: Actor<Context = Self>> Context<A> {
    /// The life of `actor`, from its first message to its end. `vital` is told when it is over.
    pub(crate) fn life(receiver: AddressReceiver<A>, actor: A, vital: Option<Vital>) -> impl Future<Output = ()> {
        let mailbox = Mailbox::new(receiver);
        let mut context = Self { parts: ContextParts::new(mailbox.sender_producer()) };
        // The first poll starts the actor and does nothing else, so that a panic in it is one of the start.
        context.parts.wait(wrap_future::<_, A>(tokio::task::yield_now()));
        Life { actor: ContextFut::new(context, actor, mailbox), started: false, _vital: vital }
    }

    /// Sets the bound of the mailbox, in messages.
    pub fn set_mailbox_capacity(&mut self, messages: usize) {
        self.parts.set_mailbox_capacity(messages);
    }

    /// Calls `tick` every `period`, also after a tick that panicked.
    pub fn run_interval(&mut self, period: Duration, mut tick: impl FnMut(&mut A, &mut Self) + 'static) -> SpawnHandle {
        AsyncContext::run_interval(self, period, move |actor, context| {
            guarded(type_name::<A>(), || tick(actor, context));
        })
    }
}

impl<A: Actor<Context = Self>> ActorContext for Context<A> {
    fn stop(&mut self) {
        self.parts.stop();
    }

    fn terminate(&mut self) {
        self.parts.terminate();
    }

    fn state(&self) -> ActorState {
        self.parts.state()
    }
}

impl<A: Actor<Context = Self>> AsyncContext<A> for Context<A> {
    fn address(&self) -> Addr<A> {
        self.parts.address()
    }

    fn spawn<F: ActorFuture<A, Output = ()> + 'static>(&mut self, future: F) -> SpawnHandle {
        self.parts.spawn(Caught { future })
    }

    fn wait<F: ActorFuture<A, Output = ()> + 'static>(&mut self, future: F) {
        self.parts.wait(Caught { future });
    }

    fn waiting(&self) -> bool {
        self.parts.waiting()
    }

    fn cancel_future(&mut self, handle: SpawnHandle) -> bool {
        self.parts.cancel_future(handle)
    }
}

impl<A, M> ToEnvelope<A, M> for Context<A>
where
    A: Actor<Context = Self> + Handler<M>,
    M: Message<Result: Send> + Send + 'static,
{
    fn pack(message: M, answer: Option<oneshot::Sender<M::Result>>) -> Envelope<A> {
        Envelope::new(message, answer)
    }
}

impl<A: Actor<Context = Self>> AsyncContextParts<A> for Context<A> {
    fn parts(&mut self) -> &mut ContextParts<A> {
        &mut self.parts
    }
}

pin_project! {
    /// A future of an actor that is over when it panics.
    struct Caught<F> {
        #[pin]
        future: F,
    }
}

impl<A: Actor, F: ActorFuture<A, Output = ()>> ActorFuture<A> for Caught<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, actor: &mut A, context: &mut A::Context, task: &mut task::Context<'_>) -> Poll<()> {
        let future = self.project().future;
        guarded(type_name::<A>(), || future.poll(actor, context, task)).unwrap_or(Poll::Ready(()))
    }
}

/// An actor at work.
struct Life<A: Actor<Context = Context<A>>> {
    /// Dropped when the actor ends, and also when its arbiter does; before the actor, with which others may end.
    _vital: Option<Vital>,
    actor: ContextFut<A, Context<A>>,
    started: bool,
}

impl<A: Actor<Context = Context<A>>> Future for Life<A> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let polled = guarded(type_name::<A>(), || Pin::new(&mut this.actor).poll(task));
        let started = std::mem::replace(&mut this.started, true);
        match polled {
            Some(polled) => polled,
            None if started && this.actor.alive() => {
                // The message that panicked is gone; the rest of the mailbox is still there.
                task.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use actix::prelude::WrapFuture;
    use actix_rt::time::timeout;

    use super::*;
    use crate::mailbox::reserve;
    use crate::panics;
    use crate::vital::Vitals;

    const SOON: Duration = Duration::from_secs(60);

    #[derive(Default)]
    struct Fragile {
        panics_at_start: bool,
        ticks: Arc<AtomicUsize>,
    }

    impl Actor for Fragile {
        type Context = Context<Self>;

        fn started(&mut self, ctx: &mut Context<Self>) {
            assert!(!self.panics_at_start, "on purpose");
            ctx.run_interval(Duration::from_millis(1), |fragile, _| {
                fragile.ticks.fetch_add(1, Ordering::Relaxed);
                panic!("on purpose");
            });
        }
    }

    /// What the actor is to do; the answer is whether it could.
    #[derive(Clone, Copy, Debug, PartialEq, Message)]
    #[rtype(result = "bool")]
    enum Do {
        Answer,
        Panic,
        PanicInAFuture,
        PanicWhileItWaits,
        End,
    }

    impl Handler<Do> for Fragile {
        type Result = bool;

        fn handle(&mut self, what: Do, ctx: &mut Context<Self>) -> bool {
            match what {
                Do::Answer => {}
                Do::Panic => panic!("on purpose"),
                Do::PanicInAFuture => drop(ctx.spawn(async { panic!("on purpose") }.into_actor(self))),
                Do::PanicWhileItWaits => ctx.wait(wrap_future::<_, Self>(async { panic!("on purpose") })),
                Do::End => ctx.stop(),
            }
            true
        }
    }

    #[actix_rt::test]
    async fn an_actor_goes_on_after_each_kind_of_panic() {
        let (fragile, mailbox) = reserve(1);
        mailbox.run(Fragile::default());
        for what in [Do::Panic, Do::PanicInAFuture, Do::PanicWhileItWaits] {
            let before = panics::count();
            assert_eq!(fragile.send(what).await.is_ok(), what != Do::Panic, "{what:?}");
            assert_eq!(timeout(SOON, fragile.send(Do::Answer)).await.unwrap(), Ok(true), "after {what:?}");
            assert!(panics::count() > before, "{what:?} is counted");
        }
    }

    #[actix_rt::test]
    async fn a_timer_ticks_on_after_a_panic() {
        let ticks = Arc::new(AtomicUsize::new(0));
        let (_fragile, mailbox) = reserve(1);
        mailbox.run(Fragile { ticks: ticks.clone(), ..Fragile::default() });
        let ticking = async {
            while ticks.load(Ordering::Relaxed) < 3 {
                actix_rt::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(SOON, ticking).await.unwrap();
    }

    #[actix_rt::test]
    async fn whatever_ends_a_vital_actor_is_told() {
        let vitals = Vitals::default();
        let (stopped, mailbox) = reserve(1);
        mailbox.vital(vitals.watch("one that stops")).run(Fragile::default());
        assert_eq!(vitals.lost(), None);
        assert_eq!(stopped.send(Do::End).await, Ok(true));
        assert_eq!(timeout(SOON, vitals.ended()).await.unwrap(), "one that stops");
        assert!(!stopped.connected());

        let vitals = Vitals::default();
        let (_address, mailbox) = reserve(1);
        mailbox
            .vital(vitals.watch("one that panics at the start"))
            .run(Fragile { panics_at_start: true, ..Fragile::default() });
        assert_eq!(timeout(SOON, vitals.ended()).await.unwrap(), "one that panics at the start");

        let vitals = Vitals::default();
        let arbiter = actix_rt::Arbiter::new();
        let (_address, mailbox) = reserve(1);
        mailbox.vital(vitals.watch("one whose thread ends")).run_on(&arbiter.handle(), Fragile::default);
        arbiter.stop();
        assert_eq!(timeout(SOON, vitals.ended()).await.unwrap(), "one whose thread ends");
    }
}
