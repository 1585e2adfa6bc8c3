//! The backend's HTTP endpoints (spec: remote control 4): one method each.

mod call;
mod error;

use std::cell::{OnceCell, RefCell};

use awc::http::{Method, Version};
use awc::{Client, Connector};
use url::Url;

use super::credentials::Account;
use super::failure::Failure;
use super::settings::RemoteControlSettings;
use super::url::BackendUrl;
use crate::clock::Clock;
use crate::host::{API_VERSION, Host};
use crate::protocol::initialize::ClientInfo;
use crate::protocol::remote::RemoteControlClientsListParams;
use crate::protocol::remote::http::{
    ClientsResponse, EnrollRequest, PairRequest, PairResponse, PairStatusRequest, PairStatusResponse, RefreshRequest,
    ServerTokenResponse, TokenRequest, TokenResponse,
};
use crate::protocol::remote::{Secret, read_body, write_body};
use call::Call;
pub use error::{What, circumstances};

/// Where new account tokens come from, unless an environment variable says otherwise.
const TOKEN_URL: &str = "https://auth.openai.com/oauth/token";

/// The program that users sign in to.
const OAUTH_CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

/// How the backend is spoken to.
pub struct Backend {
    settings: RemoteControlSettings,
    host: Host,
    installation_id: String,
    server_name: String,
    token_url: String,
    clock: Clock,
    random: fn() -> f64,
    /// The first local client.
    client: RefCell<Option<ClientInfo>>,
    /// Made when it is first needed: most servers never ask anybody.
    http: OnceCell<Client>,
}

/// What a [`Backend`] is made of.
#[allow(missing_docs)] // As in `RemoteControlSetup`.
pub struct BackendParts {
    pub settings: RemoteControlSettings,
    pub host: Host,
    pub installation_id: String,
    pub server_name: String,
    pub token_url: Option<String>,
    pub clock: Clock,
    pub random: fn() -> f64,
}

impl Backend {
    /// Nothing is connected yet.
    pub fn new(parts: BackendParts) -> Self {
        let BackendParts { settings, host, installation_id, server_name, token_url, clock, random } = parts;
        let token_url = token_url.unwrap_or_else(|| TOKEN_URL.to_owned());
        let (client, http) = (RefCell::new(None), OnceCell::new());
        Self { settings, host, installation_id, server_name, token_url, clock, random, client, http }
    }

    /// The identity of this installation; empty if there is none.
    pub fn installation_id(&self) -> &str {
        &self.installation_id
    }

    /// From now on calls are made in the name of this client; the first one counts.
    pub fn speak_for(&self, client: ClientInfo) {
        self.client.borrow_mut().get_or_insert(client);
    }

    /// Becomes a host.
    pub async fn enroll(&self, url: &BackendUrl, account: &Account) -> Result<ServerTokenResponse, Failure> {
        let body = EnrollRequest {
            name: self.server_name.clone(),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            app_server_version: API_VERSION.to_owned(),
            installation_id: self.installation_id.clone(),
        };
        let call = Call::post(What::Enroll, url.enroll(), &account.access, write_body(&body));
        self.call(call.account(&account.id).installation(&self.installation_id)).await?.read()
    }

    /// Gets a new server token.
    pub async fn refresh(
        &self,
        url: &BackendUrl,
        account: &Account,
        server_id: &str,
    ) -> Result<ServerTokenResponse, Failure> {
        let body = RefreshRequest { server_id: server_id.to_owned(), installation_id: self.installation_id.clone() };
        let call = Call::post(What::Refresh, url.refresh(), &account.access, write_body(&body));
        self.call(call.account(&account.id).installation(&self.installation_id)).await?.read()
    }

    /// Gets a code for a controller.
    pub async fn pair(&self, url: &BackendUrl, server: &Secret, body: PairRequest) -> Result<PairResponse, Failure> {
        self.call(Call::post(What::Pair, url.pair(), server, write_body(&body))).await?.read()
    }

    /// Asks whether a code was used.
    pub async fn pair_status(
        &self,
        url: &BackendUrl,
        server: &Secret,
        body: &PairStatusRequest,
    ) -> Result<PairStatusResponse, Failure> {
        self.call(Call::post(What::PairStatus, url.pair_status(), server, write_body(body))).await?.read()
    }

    /// The controllers of an environment.
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
        self.call(Call::new(What::Clients, Method::GET, url, &account.access).account(&account.id)).await?.read()
    }

    /// Takes a controller's rights away.
    pub async fn revoke(&self, url: Url, account: &Account) -> Result<(), Failure> {
        self.call(Call::new(What::Revoke, Method::DELETE, url, &account.access).account(&account.id)).await.map(drop)
    }

    /// Asks the sign-in for new account tokens.
    ///
    /// # Errors
    /// In words that repeat nothing of the answer.
    pub async fn new_account_tokens(&self, refresh: &Secret) -> Result<TokenResponse, String> {
        let url = Url::parse(&self.token_url).map_err(|e| format!("the token endpoint is no URL: {e}"))?;
        let body = TokenRequest {
            client_id: OAUTH_CLIENT.to_owned(),
            grant_type: "refresh_token".to_owned(),
            refresh_token: refresh.clone(),
            refresh_reason: "unauthorized_recovery".to_owned(),
        };
        let answer = self.exchange(Call::anonymous(url, write_body(&body))).await.map_err(|e| e.to_string())?;
        if !answer.status.is_success() {
            return Err(format!("the token endpoint answers HTTP {}", answer.status));
        }
        read_body(&answer.body).map_err(|e| e.to_string())
    }

    fn http(&self) -> &Client {
        self.http.get_or_init(|| {
            Client::builder()
                .connector(Connector::new().timeout(self.settings.request()))
                .max_http_version(Version::HTTP_11)
                .timeout(self.settings.request())
                // A token must not follow wherever an answer points to.
                .disable_redirects()
                .no_default_headers()
                .finish()
        })
    }
}
