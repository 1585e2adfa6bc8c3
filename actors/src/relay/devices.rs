//! What phones ask: which machines they may control, and their socket.

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;

use super::messages::{AdmitPhone, AskDevice, DeviceView, MachineView, RelayRefusal};
use super::store::{Device, DeviceRow, HasSubscription, Paired, RenewDevice, Seen};
use super::{Admitted, Answer, Relay, secrets};
use crate::protocol::remote::Machine;
use crate::store::ask;

impl MachineView {
    pub(super) fn of(paired: Paired, machine: Machine) -> Self {
        let Paired { client_id, environment_id, machine: name, scopes, display_name, .. } = paired;
        Self { environment_id, client_id, name, scopes, machine, device_name: display_name }
    }
}

impl Handler<AskDevice> for Relay {
    type Result = Answer<DeviceView>;

    fn handle(&mut self, AskDevice { token }: AskDevice, _: &mut Self::Context) -> Self::Result {
        let (at, store) = (self.now(), self.store.clone());
        let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        let old_at = at.saturating_sub(seconds(self.settings.device_token_seconds.0));
        let previous_until = at.saturating_add(seconds(self.settings.device_token_overlap_seconds.0));
        let asked = async move {
            let before = secrets::digest(token.expose());
            let device = ask(&store, Device { digest: before.clone(), at }).await?;
            let DeviceRow { id, issued_at, is_previous, machines } = device.ok_or(RelayRefusal::Unauthorized)?;
            let is_told = ask(&store, HasSubscription { device_id: id.clone() }).await?;
            if is_previous || issued_at > old_at {
                return Ok((None, machines, is_told));
            }
            let token = secrets::token();
            let digest = secrets::digest(token.expose());
            let renewed = ask(&store, RenewDevice { id, before, digest, previous_until, at }).await?;
            Ok::<_, RelayRefusal>((renewed.then_some(token), machines, is_told))
        };
        Box::pin(wrap_future::<_, Self>(asked).then(|answer, relay, _| {
            let asked = answer.map(|(token, machines, is_told)| {
                let states: Vec<_> = machines.iter().map(|paired| relay.machine(&paired.server_id)).collect();
                (token, machines, states, is_told)
            });
            wrap_future(async move {
                let (token, machines, states, is_told) = asked?;
                let states = futures_util::future::join_all(states).await;
                let machines = machines.into_iter().zip(states).map(|(paired, state)| MachineView::of(paired, state));
                Ok(DeviceView { token, machines: machines.collect(), is_told })
            })
        }))
    }
}

impl Handler<AdmitPhone> for Relay {
    type Result = Answer<Admitted>;

    fn handle(&mut self, AdmitPhone { token, environment_id }: AdmitPhone, _: &mut Self::Context) -> Self::Result {
        let (at, store) = (self.now(), self.store.clone());
        let asked = async move {
            let device = ask(&store, Device { digest: secrets::digest(token.expose()), at }).await?;
            let machines = device.ok_or(RelayRefusal::Unauthorized)?.machines;
            let paired = machines.into_iter().find(|paired| paired.environment_id == environment_id);
            let paired = paired.ok_or(RelayRefusal::NotFound("environment"))?;
            ask(&store, Seen { client_id: paired.client_id.clone(), at }).await?;
            Ok(paired)
        };
        Box::pin(wrap_future::<_, Self>(asked).map(|answer: Result<Paired, RelayRefusal>, relay, _| {
            let Paired { client_id, server_id, scopes, .. } = answer?;
            let (link, settings) = (relay.link(&server_id), relay.settings.clone());
            Ok(Admitted { client: client_id, scopes, link, settings })
        }))
    }
}
