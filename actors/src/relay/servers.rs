//! What servers ask: enrollment, tokens, controllers, and their socket.

use std::collections::HashMap;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use futures_util::future::LocalBoxFuture;

use super::messages::{
    AccountToken, AdmitServer, EndClientPairing, EnrollServer, ListClients, RefreshServer, RelayRefusal, RenameClient,
    ServerAdmitted,
};
use super::names::name_of_device;
use super::store::{
    Bearer, Device, DeviceRow, EndPairing, Enroll, Enrolled, ListPairings, PairingRow, RenamePairing, ServerOf,
};
use super::{Answer, Relay, secrets};
use crate::protocol::Secret;
use crate::protocol::remote::SortOrder;
use crate::protocol::remote::http::{ClientItem, ClientsResponse, ServerTokenResponse};
use crate::times;

/// Longest text of a server that is kept, in bytes.
const TEXT_BYTES: usize = 256;

/// Rows of a page, unless the request says otherwise, and at most.
const PAGE: u32 = 100;

/// The tokens of servers, which live in memory only: a server whose token is not known asks for another one.
#[derive(Default)]
pub struct ServerTokens {
    /// By the id of the server.
    tokens: HashMap<String, ServerToken>,
}

struct ServerToken {
    digest: String,
    enrolled: Enrolled,
    /// On the steady clock.
    expires_at_ms: i64,
}

impl ServerTokens {
    /// Makes a token in place of the server's earlier one.
    fn issue(&mut self, enrolled: Enrolled, expires_at_ms: i64) -> Secret {
        let token = secrets::token();
        let digest = secrets::digest(token.expose());
        self.tokens.insert(enrolled.server_id.clone(), ServerToken { digest, enrolled, expires_at_ms });
        token
    }

    /// The server whose token it is.
    pub fn server(&self, token: &Secret, now_ms: i64) -> Result<Enrolled, RelayRefusal> {
        let digest = secrets::digest(token.expose());
        let mut all = self.tokens.values();
        let found = all.find(|it| it.digest == digest && it.expires_at_ms > now_ms);
        found.map(|it| it.enrolled.clone()).ok_or(RelayRefusal::Unauthorized)
    }

    /// Forgets the tokens of other servers.
    pub fn retain(&mut self, exists: impl Fn(&str) -> bool) {
        self.tokens.retain(|server, _| exists(server));
    }
}

impl Relay {
    fn issue(&mut self, enrolled: Enrolled) -> ServerTokenResponse {
        let life_ms = i64::try_from(self.settings.server_token_seconds.duration().as_millis()).unwrap_or(i64::MAX);
        let Enrolled { server_id, environment_id } = enrolled.clone();
        let remote_control_token = self.tokens.issue(enrolled, self.clock.steady_ms().saturating_add(life_ms));
        let expires_at = times::show(self.clock.unix_ms().saturating_add(life_ms));
        ServerTokenResponse { server_id, environment_id, remote_control_token, expires_at }
    }
}

fn short(text: &str) -> bool {
    !text.is_empty() && text.len() <= TEXT_BYTES
}

impl Handler<EnrollServer> for Relay {
    type Result = Answer<ServerTokenResponse>;

    fn handle(&mut self, EnrollServer { account, request }: EnrollServer, _: &mut Self::Context) -> Self::Result {
        let texts = [&request.name, &request.os, &request.arch, &request.installation_id];
        if !texts.iter().all(|text| short(text)) {
            let wrong = "name, os, arch and installation_id must have 1 to 256 bytes";
            return Box::pin(actix::fut::err(RelayRefusal::Invalid(wrong)));
        }
        let server = Enrolled { server_id: secrets::id("srv"), environment_id: secrets::id("env") };
        let asked = self.ask(Enroll {
            bearer: account.bearer(),
            server: server.clone(),
            installation_id: request.installation_id,
            name: request.name,
            os: request.os,
            arch: request.arch,
            most: self.settings.account_servers,
            at: self.now(),
        });
        Box::pin(wrap_future::<_, Self>(asked).map(move |answer, relay, _| {
            answer?.ok_or(RelayRefusal::Unauthorized)?;
            log::info!("a server has enrolled");
            Ok(relay.issue(server))
        }))
    }
}

impl Handler<RefreshServer> for Relay {
    type Result = Answer<ServerTokenResponse>;

    fn handle(&mut self, RefreshServer { account, request }: RefreshServer, _: &mut Self::Context) -> Self::Result {
        let asked = self.ask(ServerOf {
            bearer: account.bearer(),
            server_id: request.server_id,
            installation_id: request.installation_id,
            at: self.now(),
        });
        Box::pin(wrap_future::<_, Self>(asked).map(|answer, relay, _| {
            let found = answer?.ok_or(RelayRefusal::Unauthorized)?;
            Ok(relay.issue(found.ok_or(RelayRefusal::NoServer)?))
        }))
    }
}

impl Handler<AdmitServer> for Relay {
    type Result = Result<ServerAdmitted, RelayRefusal>;

    fn handle(&mut self, AdmitServer { token, server_id }: AdmitServer, _: &mut Self::Context) -> Self::Result {
        let server = self.tokens.server(&token, self.clock.steady_ms())?;
        if server.server_id != server_id {
            return Err(RelayRefusal::NoServer);
        }
        Ok(ServerAdmitted { link: self.link(&server_id), settings: self.settings.clone() })
    }
}

impl Handler<ListClients> for Relay {
    type Result = Answer<ClientsResponse>;

    fn handle(&mut self, message: ListClients, _: &mut Self::Context) -> Self::Result {
        let ListClients { account, environment_id, cursor, limit, order } = message;
        let skip: i64 = match cursor.as_deref().map(str::parse) {
            None => 0,
            Some(Ok(skip @ 0..)) => skip,
            Some(_) => return Box::pin(actix::fut::err(RelayRefusal::Invalid("the cursor is not one of this list"))),
        };
        let limit = i64::from(limit.unwrap_or(PAGE).clamp(1, PAGE));
        let order = order.unwrap_or(SortOrder::Desc);
        let asked = self.ask(ListPairings { bearer: account.bearer(), environment_id, skip, limit: limit + 1, order });
        Box::pin(wrap_future::<_, Self>(asked).map(move |answer, _, _| {
            let rows = answer?.ok_or(RelayRefusal::Unauthorized)?.ok_or(RelayRefusal::NotFound("environment"))?;
            let more = i64::try_from(rows.len()).is_ok_and(|rows| rows > limit);
            let items = rows.into_iter().take(usize::try_from(limit).unwrap_or_default()).map(item).collect();
            Ok(ClientsResponse { items, cursor: more.then(|| (skip + limit).to_string()) })
        }))
    }
}

fn item(row: PairingRow) -> ClientItem {
    let PairingRow { client_id, display_name, platform, last_seen_at } = row;
    let last_seen_at = last_seen_at.map(|seconds| times::show(seconds.saturating_mul(1000)));
    let device_type = Some("web".to_owned());
    ClientItem { client_id, display_name, device_type, platform, last_seen_at, ..ClientItem::default() }
}

/// Who asks for a change of a pairing, as the store knows them.
async fn asker(relay: AskedBy) -> Result<Result<Bearer, String>, RelayRefusal> {
    match relay {
        Ok(account) => Ok(Ok(account)),
        Err(device) => Ok(Err(device.await?.ok_or(RelayRefusal::Unauthorized)?.id)),
    }
}

/// An account, or the look-up of a device.
type AskedBy = Result<Bearer, LocalBoxFuture<'static, Result<Option<DeviceRow>, RelayRefusal>>>;

impl Relay {
    fn asked_by(&self, by: &Result<AccountToken, Secret>) -> AskedBy {
        match by {
            Ok(account) => Ok(account.bearer()),
            Err(token) => {
                let device = Device { digest: secrets::digest(token.expose()), at: self.now() };
                Err(Box::pin(self.ask(device)))
            }
        }
    }
}

impl Handler<EndClientPairing> for Relay {
    type Result = Answer<()>;

    fn handle(&mut self, message: EndClientPairing, _: &mut Self::Context) -> Self::Result {
        let EndClientPairing { by, environment_id, client_id } = message;
        let (by, store, client) = (self.asked_by(&by), self.store.clone(), client_id.clone());
        let asked = async move {
            let by = asker(by).await?;
            let ended = crate::store::ask(&store, EndPairing { by, environment_id, client_id }).await?;
            ended.ok_or(RelayRefusal::Unauthorized)?.ok_or(RelayRefusal::NotFound("controller"))
        };
        Box::pin(wrap_future::<_, Self>(asked).then(|ended, relay, _| {
            let streams = ended.map(|server| relay.end_client(&server, client));
            wrap_future(async move {
                streams?.await;
                log::info!("a pairing has ended");
                Ok(())
            })
        }))
    }
}

impl Handler<RenameClient> for Relay {
    type Result = Answer<()>;

    fn handle(&mut self, message: RenameClient, _: &mut Self::Context) -> Self::Result {
        let RenameClient { by, environment_id, client_id, name } = message;
        let display_name = match name_of_device(Some(name)) {
            Ok(name) => name,
            Err(refusal) => return Box::pin(actix::fut::err(refusal)),
        };
        let (by, store) = (self.asked_by(&by), self.store.clone());
        let asked = async move {
            let by = asker(by).await?;
            let renamed = RenamePairing { by, environment_id, client_id, display_name };
            let renamed = crate::store::ask(&store, renamed).await?;
            renamed.ok_or(RelayRefusal::Unauthorized)?.ok_or(RelayRefusal::NotFound("controller"))
        };
        Box::pin(wrap_future(asked))
    }
}
