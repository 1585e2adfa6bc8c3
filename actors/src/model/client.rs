//! The client of models: settings, sign-in and connections of one arbiter.

use std::cell::OnceCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::stream::LocalBoxStream;

use super::credentials::{Credential, Credentials};
use super::event::ModelEvent;
use super::failure::ModelFailure;
use super::provider::Provider;
use super::settings::ModelSettings;
use super::sign_in::OpenAiSignIn;
use crate::account::{self, TokenEndpoint};
use crate::clock::Clock;
use crate::environment::Environment;
use crate::host::Host;
use crate::network::{Dialer, Network};
use crate::protocol::Secret;

/// The name under which OpenAI knows this program.
const ORIGINATOR: &str = "codex_cli_rs";

/// The parts of a [`ModelClient`]. They can be sent to the arbiter that uses it.
#[derive(Clone)]
pub struct ModelSetup {
    /// Bounds and times.
    pub settings: ModelSettings,
    /// The environment variables, in which keys are found.
    pub environment: Environment,
    /// How connections are made, with proxies and certificates.
    pub network: Network,
    /// The user's OpenAI sign-in.
    pub credentials: Arc<dyn Credentials>,
    /// The wall clock, for a `Retry-After` that contains a date.
    pub clock: Clock,
    /// Returns a random number, at least 0 and below 1, for the waits between attempts.
    pub random: fn() -> f64,
    /// The client's name in requests to OpenAI.
    pub originator: String,
    /// The header `User-Agent`.
    pub user_agent: String,
}

impl ModelSetup {
    /// The setup of a server: keys and proxies from `environment`, the sign-in from `account`. `token_url` is the endpoint
    /// that renews tokens; `None` for OpenAI's.
    pub fn new(
        settings: ModelSettings,
        environment: Environment,
        account: &Arc<account::Credentials>,
        token_url: Option<String>,
        clock: Clock,
        host: &Host,
    ) -> Self {
        let network = Network::new(&environment);
        let credentials = Arc::new(OpenAiSignIn {
            account: account.clone(),
            endpoint: TokenEndpoint::new(token_url),
            environment: environment.clone(),
            network: network.clone(),
            clock: clock.clone(),
        });
        let (originator, user_agent) = (ORIGINATOR.to_owned(), host.user_agent(ORIGINATOR, None));
        Self { settings, environment, network, credentials, clock, random: fastrand::f64, originator, user_agent }
    }

    /// A setup without keys and proxies, for tests.
    #[cfg(test)]
    pub fn offline(account: &Arc<account::Credentials>) -> Self {
        let host = Host {
            codex_home: "/".into(),
            session_source: "test".into(),
            cwd: "/".into(),
            os: "Linux".into(),
            terminal: "none".into(),
        };
        let environment = Environment::from_fn(|_| None);
        Self::new(ModelSettings::tiny(), environment, account, None, Clock::system(), &host)
    }
}

impl fmt::Debug for ModelSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelSetup").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Sends requests to models. It belongs to one arbiter and bounds the connections of all requests there. Clones share it.
#[derive(Clone)]
pub struct ModelClient(pub(super) Rc<Inner>);

/// See [`ModelClient`].
pub struct Inner {
    pub settings: ModelSettings,
    pub environment: Environment,
    pub credentials: Arc<dyn Credentials>,
    pub clock: Clock,
    pub random: fn() -> f64,
    pub originator: String,
    pub user_agent: String,
    network: Network,
    /// Created on first use, because the built-in model needs none.
    dialer: OnceCell<Dialer>,
}

/// The events of an answer: see [`ModelEvent`]. After an error the stream ends.
pub type ModelStream = LocalBoxStream<'static, Result<ModelEvent, ModelFailure>>;

impl ModelClient {
    /// Creates a client without connections.
    pub fn new(setup: ModelSetup) -> Self {
        let ModelSetup { settings, environment, network, credentials, clock, random, originator, user_agent } = setup;
        let dialer = OnceCell::new();
        let inner =
            Inner { settings, environment, credentials, clock, random, originator, user_agent, network, dialer };
        Self(Rc::new(inner))
    }

    /// See [`Inner`].
    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    /// The HTTP client.
    pub fn dialer(&self) -> &Dialer {
        self.dialer
            .get_or_init(|| self.network.dialer(self.settings.connect_seconds.duration(), self.settings.connections))
    }

    /// The credentials for `provider`; `None` if it needs none.
    ///
    /// # Errors
    /// The provider needs credentials and there are none.
    pub async fn credential(&self, provider: &Provider) -> Result<Option<Credential>, ModelFailure> {
        let name = provider.display_name();
        if let Some(variable) = &provider.env_key {
            let Some(key) = self.environment.get(variable) else {
                let how = provider.env_key_instructions.as_deref().unwrap_or("Set it to a key and start again.");
                let text =
                    format!("{name} needs a key in the environment variable {variable}, which is not set. {how}");
                return Err(ModelFailure::unusable(text));
            };
            return Ok(Some(Credential::ApiKey(Secret::from(key.trim()))));
        }
        if let Some(token) = &provider.experimental_bearer_token {
            return Ok(Some(Credential::ApiKey(token.clone())));
        }
        if !provider.requires_openai_auth {
            return Ok(None);
        }
        let current = self.credentials.current().await;
        current.map(Some).map_err(|reason| ModelFailure::unusable(format!("{name} cannot be asked: {reason}")))
    }
}
