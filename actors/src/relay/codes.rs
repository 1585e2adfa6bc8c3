//! Pairing codes: made for a server, claimed by a phone.

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;

use super::messages::{AskPairing, ClaimAnswer, ClaimCode, MachineView, RelayRefusal, StartPairing};
use super::names::name_of_device;
use super::store::{Claim, Claimed, ClaimedBy, CodeStatus, Device, NewCode};
use super::{Answer, Relay, secrets};
use crate::protocol::remote::http::{PairResponse, PairStatusRequest, PairStatusResponse};
use crate::protocol::scope::{Scope, Scopes};
use crate::times;

impl Handler<StartPairing> for Relay {
    type Result = Answer<PairResponse>;

    fn handle(&mut self, StartPairing { token, request }: StartPairing, _: &mut Self::Context) -> Self::Result {
        let server = match self.tokens.server(&token, self.clock.steady_ms()) {
            Ok(server) => server,
            Err(refusal) => return Box::pin(actix::fut::err(refusal)),
        };
        let code = secrets::token();
        let manual = request.manual_code.then(secrets::manual_code);
        let life = i64::try_from(self.settings.code_seconds.0).unwrap_or(i64::MAX);
        let expires_at = self.now().saturating_add(life);
        let asked = self.ask(NewCode {
            server_id: server.server_id.clone(),
            digest: secrets::digest(code.expose()),
            manual: manual.as_ref().and_then(|code| {
                let code = secrets::normalized(code.expose())?;
                Some((secrets::digest(&code), secrets::index(&code).to_owned()))
            }),
            scopes: request.scopes.unwrap_or_else(usual_scopes),
            expires_at,
            at: self.now(),
            most: self.settings.server_codes,
        });
        Box::pin(wrap_future::<_, Self>(asked).map(move |answer, _, _| {
            answer?.ok_or(RelayRefusal::NoServer)?;
            Ok(PairResponse {
                pairing_code: code,
                manual_pairing_code: manual,
                server_id: server.server_id,
                environment_id: server.environment_id,
                expires_at: times::show(expires_at.saturating_mul(1000)),
            })
        }))
    }
}

/// What a device may do whose code says nothing of it.
fn usual_scopes() -> Scopes {
    Scopes::from_iter([Scope::Observe, Scope::Converse])
}

impl Handler<AskPairing> for Relay {
    type Result = Answer<PairStatusResponse>;

    fn handle(&mut self, AskPairing { token, request }: AskPairing, _: &mut Self::Context) -> Self::Result {
        let server = self.tokens.server(&token, self.clock.steady_ms());
        let digest = match request {
            PairStatusRequest { pairing_code: Some(code), manual_pairing_code: None } => Some(code.expose().to_owned()),
            PairStatusRequest { pairing_code: None, manual_pairing_code: Some(code) } => {
                secrets::normalized(code.expose())
            }
            _ => None,
        };
        let asked = match (server, digest) {
            (Err(refusal), _) => return Box::pin(actix::fut::err(refusal)),
            (_, None) => return Box::pin(actix::fut::err(RelayRefusal::NotFound("pairing code"))),
            (Ok(server), Some(code)) => {
                let digest = secrets::digest(&code);
                self.ask(CodeStatus { server_id: server.server_id, digest, at: self.now() })
            }
        };
        Box::pin(wrap_future::<_, Self>(asked).map(|answer, _, _| {
            let claimed = answer?.ok_or(RelayRefusal::NotFound("pairing code"))?;
            Ok(PairStatusResponse { claimed })
        }))
    }
}

impl Handler<ClaimCode> for Relay {
    type Result = Answer<ClaimAnswer>;

    fn handle(&mut self, message: ClaimCode, _: &mut Self::Context) -> Self::Result {
        let ClaimCode { code, device, display_name, platform } = message;
        let (display_name, platform) = match (name_of_device(display_name), name_of_device(platform)) {
            (Ok(display_name), Ok(platform)) => (display_name, platform),
            (Err(refusal), _) | (_, Err(refusal)) => return Box::pin(actix::fut::err(refusal)),
        };
        let typed = secrets::normalized(code.expose());
        let index = typed.as_deref().map(|code| secrets::index(code).to_owned());
        let digest = secrets::digest(typed.as_deref().unwrap_or(code.expose()));
        let token = secrets::token();
        let new = (secrets::id("dev"), secrets::digest(token.expose()));
        let (at, store) = (self.now(), self.store.clone());
        let (tries, most) = (i64::from(self.settings.code_tries), self.settings.server_devices);
        let client_id = secrets::id("cl");
        let asked = async move {
            let existing = match device {
                Some(token) => {
                    let digest = secrets::digest(token.expose());
                    crate::store::ask(&store, Device { digest, at }).await?.map(|device| device.id)
                }
                None => None,
            };
            let is_new = existing.is_none();
            let device = ClaimedBy { existing, new };
            let claim = Claim { digest, index, device, client_id, display_name, platform, tries, most, at };
            Ok((crate::store::ask(&store, claim).await?, is_new.then_some(token)))
        };
        Box::pin(wrap_future::<_, Self>(asked).then(|answer, relay, _| {
            let claimed = answer.and_then(|(claimed, token)| match claimed {
                Claimed::Paired { paired, replaced } => Ok((paired, replaced, token)),
                Claimed::Wrong => Err(RelayRefusal::WrongCode),
                Claimed::Full => Err(RelayRefusal::Full),
            });
            let with_machine = claimed.map(|(paired, replaced, token)| {
                let ended = replaced.map(|client| relay.end_client(&paired.server_id, client));
                (relay.machine(&paired.server_id), ended, paired, token)
            });
            wrap_future(async move {
                let (machine, ended, paired, token) = with_machine?;
                if let Some(ended) = ended {
                    ended.await;
                }
                log::info!("a device was paired; it may: {}", paired.scopes);
                Ok(ClaimAnswer { token, machine: MachineView::of(paired, machine.await) })
            })
        }))
    }
}
