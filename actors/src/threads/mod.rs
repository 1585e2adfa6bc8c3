//! stub
use std::sync::Arc;
use actix::prelude::*;
use crate::{catalog::Catalog, clock::Clock, hub::Host, limits::Limits, reply::Reply, router::Router, store::StoreClient, post::post, protocol::thread::*};
pub struct Threads(ThreadsParts);
pub struct ThreadsParts { pub limits: Arc<Limits>, pub host: Host, pub router: Arc<Addr<Router>>, pub store: StoreClient, pub catalog: Arc<Addr<Catalog>>, pub clock: Clock }
impl Threads { pub fn new(p: ThreadsParts) -> Self { Self(p) } }
impl Actor for Threads { type Context = Context<Self>; fn started(&mut self, ctx: &mut Context<Self>) { ctx.set_mailbox_capacity(self.0.limits.threads_mailbox_messages) } }
#[derive(Message)] #[rtype(result="()")]
pub struct ThreadsRequest { pub reply: Reply, pub originator: String, pub request: ThreadRequest }
impl Handler<ThreadsRequest> for Threads { type Result = (); fn handle(&mut self, m: ThreadsRequest, ctx: &mut Context<Self>) {
  post::<Self,_,_>(&self.0.router, m.reply.ok(&ThreadLoadedListResponse{data: vec![], next_cursor: None}), ctx);
} }
