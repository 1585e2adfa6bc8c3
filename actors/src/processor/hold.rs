//! What tests ask of a processor: to pause, and who is behind it.

use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio::sync::oneshot;

use super::{Processor, ProcessorParts};
use crate::catalog::Catalog;
use crate::commands::Commands;
use crate::files::Files;
use crate::remote_control::RemoteControl;
use crate::search::Search;
use crate::threads::Threads;

/// Sent by tests only. The reply comes when the processor pauses; it resumes when `until` resolves.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Hold {
    pub(crate) until: oneshot::Receiver<()>,
}

impl Handler<Hold> for Processor {
    type Result = ();

    fn handle(&mut self, Hold { until }: Hold, ctx: &mut Self::Context) {
        ctx.wait(wrap_future::<_, Self>(until).map(|_, _, _| ()));
    }
}

/// Sent by tests only. The actors come back that the processor passes requests on to.
#[derive(Message)]
#[rtype(result = "Behind")]
pub(crate) struct WhoIsBehind;

/// The actors that answer.
#[derive(MessageResponse)]
pub(crate) struct Behind {
    pub(crate) threads: Arc<Addr<Threads>>,
    pub(crate) catalog: Arc<Addr<Catalog>>,
    pub(crate) commands: Arc<Addr<Commands>>,
    pub(crate) files: Arc<Addr<Files>>,
    pub(crate) search: Arc<Addr<Search>>,
    pub(crate) remote_control: Arc<Addr<RemoteControl>>,
}

impl Handler<WhoIsBehind> for Processor {
    type Result = Behind;

    fn handle(&mut self, _: WhoIsBehind, _: &mut Self::Context) -> Behind {
        let ProcessorParts { threads, catalog, commands, files, search, remote_control, .. } = &self.parts;
        Behind {
            threads: threads.clone(),
            catalog: catalog.clone(),
            commands: commands.clone(),
            files: files.clone(),
            search: search.clone(),
            remote_control: remote_control.clone(),
        }
    }
}
