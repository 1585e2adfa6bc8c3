//! The HTTP library's service for connections. While it exists, it looks at the time twice a second for the date of its
//! answers. So it is made for the first connection and dropped some time after the last one: an idle server sleeps.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
    time::Duration,
};

use actix_rt::time::sleep;
use actix_web::dev::Service;
use futures_util::future::LocalBoxFuture;

/// Interval between checks whether the service is used. To make one costs more than to answer a health probe.
const KEEP: Duration = Duration::from_secs(10);

/// The service of one worker, while it is used.
pub struct OnDemand<S> {
    make: Make<S>,
    made: RefCell<Option<Rc<S>>>,
}

type Make<S> = Box<dyn Fn() -> LocalBoxFuture<'static, Result<S, ()>>>;

impl<S: 'static> OnDemand<S> {
    /// Starts without a service; `make` makes one.
    pub fn new(make: impl Fn() -> LocalBoxFuture<'static, Result<S, ()>> + 'static) -> Rc<Self> {
        Rc::new(Self { make: Box::new(make), made: RefCell::default() })
    }

    /// Serves `connection` to its end.
    ///
    /// # Errors
    /// The connection failed, or no service can be made. The library has logged what is worth it.
    pub async fn serve<C>(self: Rc<Self>, connection: C) -> Result<(), ()>
    where
        S: Service<C, Response = ()>,
    {
        let service = self.service().await?;
        service.call(connection).await.map_err(drop)
    }

    async fn service(self: &Rc<Self>) -> Result<Rc<S>, ()> {
        if let Some(made) = &*self.made.borrow() {
            return Ok(made.clone());
        }
        let made = Rc::new((self.make)().await?);
        // Another connection may have come meanwhile.
        if self.made.replace(Some(made.clone())).is_none() {
            actix_rt::spawn(drop_when_unused(Rc::downgrade(self)));
        }
        Ok(made)
    }
}

async fn drop_when_unused<S>(on_demand: Weak<OnDemand<S>>) {
    loop {
        sleep(KEEP).await;
        let Some(on_demand) = on_demand.upgrade() else { return };
        // Connections hold it, too.
        let unused = on_demand.made.borrow_mut().take_if(|made| Rc::strong_count(made) == 1);
        if unused.is_some() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use actix_web::dev::fn_service;
    use tokio::time::pause;

    use super::*;

    #[actix_rt::test]
    async fn the_service_lives_while_there_are_connections_and_a_little_longer() {
        let (made, alive) = (Rc::new(Cell::new(0)), Rc::new(()));
        let (count, witness) = (made.clone(), alive.clone());
        let on_demand = OnDemand::new(move || {
            count.set(count.get() + 1);
            let witness = witness.clone();
            let serve = move |how_long: Duration| {
                let _witness = &witness;
                async move {
                    sleep(how_long).await;
                    Ok::<_, ()>(())
                }
            };
            Box::pin(async move { Ok(fn_service::<_, _, _, _, _, ()>(serve)) })
        });
        // The closure above holds one witness, and the service another.
        let is_made = || Rc::strong_count(&alive) > 2;
        pause();
        for number in [1, 2] {
            assert!(!is_made());
            let long = actix_rt::spawn(on_demand.clone().serve(10 * KEEP));
            sleep(5 * KEEP).await;
            on_demand.clone().serve(Duration::ZERO).await.unwrap();
            assert!(is_made() && made.get() == number);
            long.await.unwrap().unwrap();
            on_demand.clone().serve(Duration::ZERO).await.unwrap();
            assert_eq!(made.get(), number, "who comes at once finds it still there");
            sleep(2 * KEEP).await;
        }
        assert!(!is_made());
    }
}
