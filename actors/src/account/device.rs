//! Signing in to ChatGPT with a code that the user types on another device.

use std::time::Duration;

use awc::http::StatusCode;
use tokio::time::{Instant, sleep};

use super::issuer::{Issuer, SignInSetup, successful};
use super::renewal::OAUTH_CLIENT;
use crate::protocol::account::{DeviceCodeIssued, DeviceCodeRequest, DeviceGrant, PlanType};
use crate::protocol::body::{read_body, write_body};

/// How long a code can be typed.
const VALIDITY: Duration = Duration::from_secs(15 * 60);

/// Shortest and longest pause between two questions whether it was.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// A sign-in that waits for its user.
pub struct DeviceSignIn {
    issuer: Issuer,
    code: DeviceCodeIssued,
    verification_url: String,
}

impl DeviceSignIn {
    /// Asks for a code.
    ///
    /// # Errors
    /// The issuer cannot be reached, or refuses. The text contains no secrets.
    pub async fn begin(setup: SignInSetup) -> Result<Self, String> {
        let issuer = Issuer::new(setup);
        let verification_url = issuer.url("/codex/device")?.into();
        let body = write_body(&DeviceCodeRequest { client_id: OAUTH_CLIENT.to_owned() });
        let answer = issuer.post("/api/accounts/deviceauth/usercode", "application/json", body).await?;
        let code = read_body(&successful(&answer)?.body).map_err(|error| error.to_string())?;
        Ok(Self { issuer, code, verification_url })
    }

    /// What the user types in.
    pub fn user_code(&self) -> &str {
        &self.code.user_code
    }

    /// Where the user types it in.
    pub fn verification_url(&self) -> &str {
        &self.verification_url
    }

    /// Waits until the user has done so, and keeps the account. On return it is on disk.
    ///
    /// # Errors
    /// The code was refused or has expired, or the account cannot be kept. The text contains no secrets.
    pub async fn finish(self) -> Result<PlanType, String> {
        let grant = self.grant().await?;
        let redirect = self.issuer.url("/deviceauth/callback")?;
        self.issuer.trade(&grant.authorization_code, redirect.as_str(), &grant.code_verifier).await
    }

    /// Asks from time to time. An issuer that cannot be reached meanwhile is asked again.
    async fn grant(&self) -> Result<DeviceGrant, String> {
        let pause = self.code.interval().clamp(PAUSES[0], PAUSES[1]);
        let deadline = Instant::now() + VALIDITY;
        let body = write_body(&self.code.question());
        while Instant::now() < deadline {
            match self.issuer.post("/api/accounts/deviceauth/token", "application/json", body.clone()).await {
                Ok(answer) if [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&answer.status) => {}
                Ok(answer) => return read_body(&successful(&answer)?.body).map_err(|error| error.to_string()),
                Err(reason) => log::info!("the issuer of sign-ins cannot be asked: {reason}"),
            }
            sleep(pause).await;
        }
        Err(format!("the code was not typed within {} min", VALIDITY.as_secs() / 60))
    }
}
