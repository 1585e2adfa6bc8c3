//! Signing in to ChatGPT in a browser (OAuth's code flow with PKCE): the browser comes back to an address on loopback.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use uuid::Uuid;

use super::callback::{Brought, CALLBACK_PATH, Callback, Page, Visit};
use super::issuer::{Issuer, SignInSetup};
use super::renewal::OAUTH_CLIENT;
use crate::protocol::Secret;
use crate::protocol::account::PlanType;

/// What is asked for: who the user is, and tokens that can be renewed.
const SCOPE: &str = "openid profile email offline_access api.connectors.read api.connectors.invoke";

/// A sign-in whose user is in a browser.
pub struct BrowserSignIn {
    issuer: Issuer,
    callback: Callback,
    secrets: Secrets,
}

/// What nobody else can know.
struct Secrets {
    /// Comes back with the browser.
    state: Secret,
    /// Proves to the issuer that the one who asks for tokens is the one who began.
    verifier: Secret,
}

impl BrowserSignIn {
    /// Opens the address that the browser comes back to.
    ///
    /// # Errors
    /// None can be opened.
    pub async fn begin(setup: SignInSetup) -> Result<Self, String> {
        let open = setup.callback.clone().ok_or("this server cannot be reached by a browser")?;
        let issuer = Issuer::new(setup);
        let secrets = Secrets { state: random(2), verifier: random(4) };
        // A fault of the issuer's URL shows before a port is taken.
        issuer.url("/oauth/authorize")?;
        Ok(Self { issuer, callback: open().await?, secrets })
    }

    /// Where the user signs in.
    ///
    /// # Errors
    /// The issuer's URL is none.
    pub fn auth_url(&self) -> Result<String, String> {
        let mut url = self.issuer.url("/oauth/authorize")?;
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.secrets.verifier.expose()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", OAUTH_CLIENT)
            .append_pair("redirect_uri", &self.redirect())
            .append_pair("scope", SCOPE)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("id_token_add_organizations", "true")
            .append_pair("codex_cli_simplified_flow", "true")
            .append_pair("state", self.secrets.state.expose())
            .append_pair("originator", &self.issuer.setup().originator);
        Ok(url.into())
    }

    fn redirect(&self) -> String {
        format!("http://127.0.0.1:{}{CALLBACK_PATH}", self.callback.port)
    }

    /// Waits for the browser, and keeps the account. On return it is on disk. Visits of others change nothing.
    ///
    /// # Errors
    /// The user refused, nobody came in time, or the account cannot be kept. The text contains no secrets.
    pub async fn finish(mut self) -> Result<PlanType, String> {
        let patience = self.issuer.setup().browser_time;
        let visit = timeout(patience.duration(), self.visit()).await;
        let visit = visit.map_err(|_| format!("nobody signed in within {patience}"))??;
        let Visit { brought, answer } = visit;
        let result = self.settle(brought).await;
        let page = match &result {
            Ok(_) => Page::SignedIn,
            Err(reason) => Page::Failed(reason.clone()),
        };
        // A browser that has gone need not know.
        let _ = answer.send(page);
        result
    }

    /// The next visit that belongs to this sign-in.
    async fn visit(&mut self) -> Result<Visit, String> {
        while let Some(visit) = self.callback.visits.recv().await {
            if visit.brought.state.as_ref().is_some_and(|state| same(state, &self.secrets.state)) {
                return Ok(visit);
            }
            let _ = visit.answer.send(Page::Foreign);
        }
        Err("the address for the browser has closed".to_owned())
    }

    async fn settle(&self, brought: Brought) -> Result<PlanType, String> {
        match brought {
            Brought { refusal: Some(reason), .. } => Err(format!("the issuer of sign-ins refused: {reason}")),
            Brought { code: Some(code), .. } => {
                self.issuer.trade(&code, &self.redirect(), &self.secrets.verifier).await
            }
            Brought { .. } => Err("the browser came back without a code".to_owned()),
        }
    }
}

/// Whether two secrets are the same. How long it takes says nothing of where they differ.
fn same(one: &Secret, other: &Secret) -> bool {
    Sha256::digest(one.expose()) == Sha256::digest(other.expose())
}

/// A text that nobody can guess, with 122 random bits for each part.
fn random(parts: usize) -> Secret {
    let bytes: Vec<u8> = (0..parts).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
    Secret::from(BASE64_URL_SAFE_NO_PAD.encode(bytes).as_str())
}
