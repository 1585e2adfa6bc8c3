//! The backend's HTTP endpoints (spec: remote control 4), one method each.

mod call;
mod error;

use awc::http::Method;
use url::Url;

use super::failure::Failure;
use super::settings::RemoteControlSettings;
use super::url::BackendUrl;
use crate::account::{Account, TokenEndpoint};
use crate::clock::Clock;
use crate::host::Host;
use crate::network::Network;
use crate::protocol::API_VERSION;
use crate::protocol::Secret;
use crate::protocol::account::TokenResponse;
use crate::protocol::body::write_body;
use crate::protocol::initialize::ClientInfo;
use crate::protocol::remote::RemoteControlClientsListParams;
use crate::protocol::remote::http::{
    ClientsResponse, EnrollRequest, PairRequest, PairResponse, PairStatusRequest, PairStatusResponse, RefreshRequest,
    ServerTokenResponse,
};
use call::{Call, Caller};
pub use error::{What, circumstances};

/// A client of the backend.
pub struct Backend {
    caller: Caller,
    installation_id: String,
    server_name: String,
    token_endpoint: TokenEndpoint,
}

/// The collaborators of a [`Backend`].
#[allow(missing_docs)] // As in `RemoteControlSetup`.
pub struct BackendParts {
    pub network: Network,
    pub settings: RemoteControlSettings,
    pub host: Host,
    pub installation_id: String,
    pub server_name: String,
    pub token_endpoint: TokenEndpoint,
    pub clock: Clock,
    pub random: fn() -> f64,
}

impl Backend {
    /// Creates a client; nothing is connected yet.
    pub fn new(parts: BackendParts) -> Self {
        let BackendParts { network, settings, host, installation_id, server_name, token_endpoint, clock, random } =
            parts;
        let caller = Caller::new(&network, settings, host, clock, random);
        Self { caller, installation_id, server_name, token_endpoint }
    }

    /// Id of this installation; empty if there is none.
    pub fn installation_id(&self) -> &str {
        &self.installation_id
    }

    /// Sets the client in whose name requests are sent; only the first one counts.
    pub fn speak_for(&self, client: ClientInfo) {
        self.caller.speak_for(client);
    }

    /// The moment at which a `Retry-After` lets us try again, in milliseconds since the Unix epoch.
    pub fn retry_at(&self, header: &str) -> Option<i64> {
        self.caller.retry_at(header)
    }

    /// Enrolls this host.
    pub async fn enroll(&self, url: &BackendUrl, account: &Account) -> Result<ServerTokenResponse, Failure> {
        let body = EnrollRequest {
            name: self.server_name.clone(),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            app_server_version: API_VERSION.to_owned(),
            installation_id: self.installation_id.clone(),
        };
        let call = Call::post(What::Enroll, url.enroll(), &account.access, write_body(&body));
        self.caller.call(call.account(&account.id).installation(&self.installation_id)).await?.read()
    }

    /// Refreshes the server token.
    pub async fn refresh(
        &self,
        url: &BackendUrl,
        account: &Account,
        server_id: &str,
    ) -> Result<ServerTokenResponse, Failure> {
        let body = RefreshRequest { server_id: server_id.to_owned(), installation_id: self.installation_id.clone() };
        let call = Call::post(What::Refresh, url.refresh(), &account.access, write_body(&body));
        self.caller.call(call.account(&account.id).installation(&self.installation_id)).await?.read()
    }

    /// Requests a pairing code. Also returns when the backend answered, by its own clock if it says so.
    pub async fn pair(
        &self,
        url: &BackendUrl,
        server: &Secret,
        body: PairRequest,
    ) -> Result<(PairResponse, Option<i64>), Failure> {
        let answer = self.caller.call(Call::post(What::Pair, url.pair(), server, write_body(&body))).await?;
        Ok((answer.read()?, answer.date_ms()))
    }

    /// Asks whether a code was used.
    pub async fn pair_status(
        &self,
        url: &BackendUrl,
        server: &Secret,
        body: &PairStatusRequest,
    ) -> Result<PairStatusResponse, Failure> {
        self.caller.call(Call::post(What::PairStatus, url.pair_status(), server, write_body(body))).await?.read()
    }

    /// Lists the controllers of an environment.
    pub async fn clients(
        &self,
        url: &BackendUrl,
        account: &Account,
        params: &RemoteControlClientsListParams,
    ) -> Result<ClientsResponse, Failure> {
        let mut url = url.clients(&params.environment_id);
        let limit = params.limit.map(|limit| limit.to_string());
        let order = params.order.map(|order| order.as_str());
        for (name, value) in [("cursor", params.cursor.as_deref()), ("limit", limit.as_deref()), ("order", order)] {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        self.caller.call(Call::new(What::Clients, Method::GET, url, &account.access).account(&account.id)).await?.read()
    }

    /// Revokes a controller.
    pub async fn revoke(&self, url: Url, account: &Account) -> Result<(), Failure> {
        self.caller
            .call(Call::new(What::Revoke, Method::DELETE, url, &account.access).account(&account.id))
            .await
            .map(drop)
    }

    /// Trades a refresh token for new tokens.
    ///
    /// # Errors
    /// The text contains nothing of the answer.
    pub async fn new_account_tokens(&self, refresh: Secret) -> Result<TokenResponse, String> {
        let call = Call::anonymous(self.token_endpoint.url()?, TokenEndpoint::request(refresh));
        let answer = self.caller.exchange(call).await.map_err(|e| e.to_string())?;
        TokenEndpoint::read(&answer.response)
    }
}
