//! What whoever runs the relay sees of it: accounts, machines, and who is connected.

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;

use super::messages::{AskOverview, MachineOverview, Overview, RelayRefusal};
use super::server_link::{AskLink, LinkOverview};
use super::store::{ListAccounts, ListMachines, Machines};
use super::{Answer, Relay};
use crate::protocol::remote::Machine;
use crate::store::ask;

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
