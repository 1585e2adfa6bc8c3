//! Tests of the catalog as an actor with a bounded mailbox on its own thread.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use actix::prelude::*;
use tokio_util::task::TaskTracker;

use super::{Home, sources};
use crate::catalog::{BaseUrl, Catalog, Greet, ThreadDefaults};
use crate::clock::Clock;
use crate::connection::ConnectionId;
use crate::connection::in_flight::InFlight;
use crate::limits::Limits;
use crate::protocol::catalog::{CatalogRequest, NoParams};
use crate::protocol::{RequestId, ServerNotification};
use crate::reply::{Asked, Received, Reply};
use crate::router::Router;
use crate::router::listener::listen;
use crate::vital::Vitals;

fn start(home: &Home) -> Arc<Addr<Catalog>> {
    Catalog::start(sources(&home.dir), &Limits::tiny(), &Vitals::default())
}

#[actix_rt::test]
async fn a_client_gets_its_answer_by_way_of_the_router() {
    let home = Home::empty();
    let catalog = start(&home);
    let router = Router::new(Arc::new(Limits::tiny()), Arc::default(), Clock::system()).start();
    let connection = ConnectionId(1);
    let mut delivered = listen(&router, connection).await;

    let work = TaskTracker::new();
    let reply =
        Reply::new(connection, Received::of_a_test(RequestId::Integer(7)), InFlight::of_a_test(), router, work.token());
    let request = CatalogRequest::PluginInstalled(NoParams {});
    catalog.send(Asked { reply, request }).await.unwrap();
    let answer = delivered.next().await;
    assert_eq!(answer.text(), r#"{"id":7,"result":{"marketplaces":[],"marketplaceLoadErrors":[]}}"#);
}

#[actix_rt::test]
async fn the_threads_registry_learns_how_a_thread_starts() {
    let home = Home::empty();
    let settings = start(&home).send(ThreadDefaults::default()).await.unwrap().unwrap();
    assert_eq!(settings.cwd, home.expanded("WORK"));
}

#[actix_rt::test]
async fn a_new_connection_hears_of_warnings() {
    let home = Home::with("no_such_key = 1");
    let catalog = start(&home);
    let notifications = catalog.send(Greet).await.unwrap().notifications;
    let [ServerNotification::ConfigWarning(warning)] = notifications.as_slice() else { panic!("{notifications:?}") };
    assert!(warning.summary.contains("`no_such_key` is ignored"));
}

#[actix_rt::test]
async fn remote_control_learns_the_base_url_as_it_stands() {
    let home = Home::with("chatgpt_base_url = 'http://localhost:1/x'");
    let catalog = start(&home);
    assert_eq!(catalog.send(BaseUrl).await.unwrap(), Ok(Some("http://localhost:1/x".to_owned())));
    std::fs::write(home.path("home/config.toml"), "chatgpt_base_url = 1").unwrap();
    assert!(catalog.send(BaseUrl).await.unwrap().is_err());
    std::fs::remove_file(home.path("home/config.toml")).unwrap();
    assert_eq!(catalog.send(BaseUrl).await.unwrap(), Ok(None));
}

/// Keeps the catalog busy until the test releases it.
#[derive(Message)]
#[rtype(result = "()")]
struct Block(mpsc::Receiver<()>);

impl Handler<Block> for Catalog {
    type Result = ();

    fn handle(&mut self, Block(released): Block, _: &mut Self::Context) {
        let _ = released.recv_timeout(Duration::from_secs(60));
    }
}

#[actix_rt::test]
async fn its_mailbox_is_bounded() {
    let home = Home::empty();
    let catalog = start(&home);
    // An answer proves that the actor has started and its bound is in effect.
    catalog.send(Greet).await.unwrap();
    let (release, released) = mpsc::channel();
    let blocked = catalog.send(Block(released));
    let taken = (0..100).take_while(|_| catalog.try_send(Greet).is_ok()).count();
    assert!(taken <= 2, "{taken} questions fitted into a mailbox of 1");
    release.send(()).unwrap();
    blocked.await.unwrap();
    catalog.send(Greet).await.unwrap();
}
