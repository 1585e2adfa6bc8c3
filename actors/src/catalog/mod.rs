//! stub
use std::sync::Arc;
use actix::prelude::*;
use crate::protocol::{ServerNotification, catalog::CatalogRequest};
use crate::reply::Reply;
pub struct Catalog;
impl Actor for Catalog { type Context = Context<Self>; }
#[derive(Message)] #[rtype(result="()")]
pub struct Ask { pub reply: Reply, pub request: CatalogRequest }
#[derive(Message)] #[rtype(result="Greeting")]
pub struct Greet;
#[derive(MessageResponse)]
pub struct Greeting { pub notifications: Vec<ServerNotification> }
impl Handler<Ask> for Catalog { type Result = (); fn handle(&mut self, _: Ask, _: &mut Context<Self>) {} }
impl Handler<Greet> for Catalog { type Result = Greeting; fn handle(&mut self, _: Greet, _: &mut Context<Self>) -> Greeting { Greeting{notifications: vec![]} } }
pub fn start() -> Arc<Addr<Catalog>> { Arc::new(Catalog.start()) }
