//! What whoever runs the relay sees of it: accounts, machines, and who is connected.

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;

use super::messages::RelayRefusal;
use super::server_link::AskLink;
use super::store::{AccountRow, ListAccounts, ListMachines, MachineRow, Machines};
use super::{Answer, Relay};
use crate::protocol::remote::Machine;
use crate::store::ask;

/// Sent by the local socket of the relay for `relay status`, one at a time. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "Result<Overview, RelayRefusal>")]
pub struct AskOverview;

/// The answer to [`AskOverview`].
#[derive(Clone, Debug)]
pub struct Overview {
    /// By name.
    pub accounts: Vec<AccountRow>,
    /// By account and name.
    pub machines: Vec<MachineOverview>,
    /// How many devices are paired with any machine.
    pub devices: i64,
}

/// A machine.
#[derive(Clone, Debug)]
pub struct MachineOverview {
    /// What is kept of it.
    pub row: MachineRow,
    /// Whether it can be reached.
    pub machine: Machine,
    /// How many phones have a socket to it.
    pub phones: usize,
}

/// What a link knows of its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkOverview {
    /// Whether it can be reached.
    pub machine: Machine,
    /// How many phones have a socket to it.
    pub phones: usize,
}

impl Handler<AskOverview> for Relay {
    type Result = Answer<Overview>;

    fn handle(&mut self, _: AskOverview, _: &mut Self::Context) -> Self::Result {
        let store = self.store.clone();
        let asked =
            async move { Ok::<_, RelayRefusal>((ask(&store, ListAccounts).await?, ask(&store, ListMachines).await?)) };
        Box::pin(wrap_future::<_, Self>(asked).then(|answer, relay, _| {
            let links = relay.links.clone();
            wrap_future(async move {
                let (accounts, Machines { machines, devices }) = answer?;
                let mut seen = Vec::with_capacity(machines.len());
                for row in machines {
                    let unknown = LinkOverview { machine: Machine::Asleep { since: None }, phones: 0 };
                    let link = match links.get(&row.server_id) {
                        Some(link) => link.send(AskLink).await.unwrap_or(unknown),
                        None => unknown,
                    };
                    seen.push(MachineOverview { row, machine: link.machine, phones: link.phones });
                }
                Ok(Overview { accounts, machines: seen, devices })
            })
        }))
    }
}
