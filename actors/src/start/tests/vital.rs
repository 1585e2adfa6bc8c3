//! Each vital actor, ended by a message of the tests: the server notices at once, and knows which.

use super::*;
use crate::context::Context;
use crate::processor::hold::{Behind, WhoIsBehind};

/// Ends the actor that gets it.
#[derive(Message)]
#[rtype(result = "()")]
struct End;

macro_rules! can_be_ended {
    ($($actor:ty),*) => {
        $(impl Handler<End> for $actor {
            type Result = ();

            fn handle(&mut self, _: End, ctx: &mut Context<Self>) {
                ctx.stop();
            }
        })*
    };
}

can_be_ended!(Router, Processor, Threads, Store, Catalog, Commands, Files, Search, RemoteControl);

#[actix_rt::test]
async fn the_end_of_each_vital_actor_is_noticed_and_named() {
    type Whom = fn(&Remains, Behind) -> Recipient<End>;
    let actors: [(&str, Whom); 9] = [
        ("router", |it, _| Addr::clone(it.actors.hub().router()).recipient()),
        ("processor", |it, _| Addr::clone(it.actors.hub().processor()).recipient()),
        ("store", |it, _| Addr::clone(&it.store).recipient()),
        ("threads", |_, behind| Addr::clone(&behind.threads).recipient()),
        ("catalog", |_, behind| Addr::clone(&behind.catalog).recipient()),
        ("commands", |_, behind| Addr::clone(&behind.commands).recipient()),
        ("files", |_, behind| Addr::clone(&behind.files).recipient()),
        ("search", |_, behind| Addr::clone(&behind.search).recipient()),
        ("remote control", |_, behind| Addr::clone(&behind.remote_control).recipient()),
    ];
    for (name, whom) in actors {
        let (hub, remains) = hub(cramped());
        let behind = hub.processor().send(WhoIsBehind).await.unwrap();
        assert!(remains.actors.is_ready(), "{name} is alive");
        whom(&remains, behind).send(End).await.unwrap();
        assert_eq!(timeout(SOON, remains.actors.lost()).await.expect(name), name);
        assert!(!remains.actors.is_ready(), "without {name}");
    }
}

#[actix_rt::test]
async fn an_end_in_good_order_loses_nobody() {
    let (hub, remains) = hub(cramped());
    let actors = &remains.actors;
    actors.expect_end();
    hub.drain().await;
    actors.end_commands().await;
    hub.close_connections(SOON).await;
    timeout(SOON, actors.end_remote_control(SOON)).await.unwrap();
    assert!(futures_util::poll!(std::pin::pin!(actors.lost())).is_pending());
}
