//! The catalog as an actor: on a thread of its own, behind a bounded mailbox.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

use super::{Home, sources};
use crate::catalog::{Ask, Catalog, Greet, ThreadDefaults};
use crate::limits::Limits;
use crate::protocol::catalog::{CatalogAnswer, CatalogRequest, NoParams};
use crate::protocol::{RemoteControlStatus, ServerNotification};

fn start(home: &Home) -> Arc<Addr<Catalog>> {
    Catalog::start(sources(&home.dir), &Limits::tiny())
}

#[actix_rt::test]
async fn it_answers_from_its_own_thread() {
    let home = Home::empty();
    let catalog = start(&home);
    let request = CatalogRequest::PluginInstalled(NoParams {});
    let answer = catalog.send(Ask { request }).await.unwrap().unwrap();
    assert!(matches!(answer, CatalogAnswer::PluginInstalled(_)));
    let settings = catalog.send(ThreadDefaults::default()).await.unwrap().unwrap();
    assert_eq!(settings.cwd, home.expanded("WORK"));
}

#[actix_rt::test]
async fn a_new_connection_hears_of_warnings_and_of_remote_control() {
    let home = Home::with("no_such_key = 1");
    let catalog = start(&home);
    let notifications = catalog.send(Greet).await.unwrap().notifications;
    let [ServerNotification::ConfigWarning(warning), status] = notifications.as_slice() else {
        panic!("{notifications:?}");
    };
    assert!(warning.summary.contains("`no_such_key` is ignored"));
    let ServerNotification::RemoteControlStatusChanged { status, installation_id, .. } = status else {
        panic!("{status:?}");
    };
    assert_eq!(*status, RemoteControlStatus::Disabled);
    assert_eq!(*installation_id, std::fs::read_to_string(home.path("home/installation_id")).unwrap());
}

/// Keeps the catalog busy until the test lets go.
#[derive(Message)]
#[rtype(result = "()")]
struct Block(std::sync::mpsc::Receiver<()>);

impl Handler<Block> for Catalog {
    type Result = ();

    fn handle(&mut self, Block(released): Block, _: &mut Self::Context) {
        let _ = released.recv_timeout(Duration::from_secs(10));
    }
}

#[actix_rt::test]
async fn its_mailbox_is_bounded() {
    let home = Home::empty();
    let catalog = start(&home);
    // An answer proves that it has started, and that its bound is in force.
    catalog.send(Greet).await.unwrap();
    let (release, released) = std::sync::mpsc::channel();
    let blocked = catalog.send(Block(released));
    let ask = || Ask { request: CatalogRequest::PluginInstalled(NoParams {}) };
    let taken = (0..100).take_while(|_| catalog.try_send(ask()).is_ok()).count();
    assert!(taken <= 2, "{taken} questions fitted into a mailbox of 1");
    release.send(()).unwrap();
    blocked.await.unwrap();
    catalog.send(Greet).await.unwrap();
}
