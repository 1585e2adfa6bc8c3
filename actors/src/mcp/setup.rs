//! What all MCP servers work with.

use std::sync::{Arc, OnceLock};

use actix::prelude::*;
use tokio::sync::Semaphore;

use super::limits::McpLimits;
use crate::command::Runner;
use crate::environment::Environment;
use crate::network::Network;
use crate::router::Router;

/// What all MCP servers work with.
pub struct McpSetup {
    /// How programs are run.
    pub(super) runner: Runner,
    /// How connections are made.
    pub(super) network: Network,
    /// Where tokens are found.
    pub(super) environment: Environment,
    /// Their bounds.
    pub limits: McpLimits,
    /// Who tells clients how servers are.
    pub(super) router: Arc<Addr<Router>>,
    /// Places of servers that run.
    pub(super) running: Arc<Semaphore>,
    /// Places of servers that are starting.
    pub(super) starting: Semaphore,
    /// Where servers live, once there is one: not where turns do, because a server that floods takes all it can get.
    arbiter: OnceLock<ArbiterHandle>,
}

impl McpSetup {
    /// Programs are run by `runner`, and tokens found in `environment`.
    pub fn new(
        limits: McpLimits,
        runner: Runner,
        network: Network,
        environment: Environment,
        router: Arc<Addr<Router>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            runner,
            network,
            environment,
            router,
            running: Arc::new(Semaphore::new(limits.running_servers)),
            starting: Semaphore::new(limits.starting_servers),
            limits,
            arbiter: OnceLock::new(),
        })
    }

    /// Nothing can be reached, and nobody is told.
    #[cfg(test)]
    pub fn none() -> Arc<Self> {
        let (router, _) = crate::mailbox::reserve(1);
        Self::new(McpLimits::usual(), Runner::none(), Network::direct(), Environment::from_fn(|_| None), router)
    }

    /// Where servers live.
    pub(super) fn arbiter(&self) -> &ArbiterHandle {
        self.arbiter.get_or_init(|| Arbiter::new().handle())
    }

    /// Ends the thread of the servers. They must have ended before.
    pub fn stop(&self) {
        if let Some(arbiter) = self.arbiter.get() {
            arbiter.stop();
        }
    }
}
