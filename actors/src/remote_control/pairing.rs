//! Pairing: creates a code for a controller, and tells whether it was used (spec: remote control 12).

use super::enrollment::{Enrollment, EnrollmentState, mismatch};
use super::failure::{Failure, Kind};
use super::session::{Destination, Session};
use crate::account::Recovery;
use crate::protocol::remote::http::{PairRequest, PairResponse, PairStatusRequest};
use crate::protocol::remote::{PairingStartParams, PairingStartResponse, PairingStatusParams, PairingStatusResponse};
use crate::protocol::{RpcError, Secret};
use crate::times;

/// Why a pairing failed.
pub enum PairingError {
    /// Remote control is not connected yet.
    Unavailable,
    /// The request to the backend failed.
    Failed(Failure),
}

impl From<Failure> for PairingError {
    fn from(failure: Failure) -> Self {
        match failure.kind {
            Kind::SignedOut | Kind::NoAccount | Kind::AccountChanged => Self::Unavailable,
            _ => Self::Failed(failure),
        }
    }
}

impl From<PairingError> for RpcError {
    fn from(error: PairingError) -> Self {
        match error {
            PairingError::Unavailable => {
                Self::invalid_request("remote control pairing is unavailable until enrollment completes")
            }
            PairingError::Failed(failure) if failure.kind == Kind::InvalidInput => Self::invalid_request(failure.text),
            PairingError::Failed(failure) => Self::internal(failure.text),
        }
    }
}

/// The code of a status request.
///
/// # Errors
/// There is none, or there are two; the texts are the reference program's.
pub fn code(params: PairingStatusParams) -> Result<PairStatusRequest, RpcError> {
    let PairingStatusParams { pairing_code, manual_pairing_code } = params;
    let mistake = |what: &str| RpcError::invalid_request(format_args!("remoteControl/pairing/status {what}"));
    match (&pairing_code, &manual_pairing_code) {
        (None, None) => Err(mistake("requires pairingCode or manualPairingCode")),
        (Some(_), Some(_)) => Err(mistake("accepts either pairingCode or manualPairingCode, not both")),
        _ => Ok(PairStatusRequest { pairing_code, manual_pairing_code }),
    }
}

impl Session {
    /// Requests a code, and enrolls this host if needed.
    pub async fn pair(&self, params: PairingStartParams) -> Result<PairingStartResponse, PairingError> {
        let to = self.destination().await?;
        self.check_deferral()?;
        let recovery = Recovery::of_request();
        let mut held = self.held().await;
        let mut enrollment = self.enrolled(&mut held, &to, &recovery).await?;
        let mut tries = 2;
        loop {
            enrollment = self.refreshed(&mut held, &to, enrollment, &recovery).await?;
            tries -= 1;
            let body = PairRequest { manual_code: params.manual_code, scopes: params.scopes };
            let asked = self.tools.backend.pair(&to.url, token(&held)?, body).await;
            match asked.inspect_err(|failure| self.heed(failure)) {
                Ok((answer, date_ms)) => {
                    let now_ms = date_ms.unwrap_or_else(|| self.tools.clock.unix_ms());
                    return Ok(paired(answer, now_ms, &enrollment, to.url.pair().as_str())?);
                }
                Err(failure) => match failure.kind {
                    Kind::Permission => held.drop_token(),
                    Kind::NotFound => enrollment = self.enroll(&mut held, &to, &recovery).await?,
                    _ => return Err(failure.into()),
                },
            }
            if tries == 0 {
                return Err(PairingError::Unavailable);
            }
        }
    }

    /// Asks whether a code was used. Does not enroll this host, because a code exists only for an enrolled host.
    pub async fn pairing_status(&self, code: PairStatusRequest) -> Result<PairingStatusResponse, PairingError> {
        let to = self.destination().await?;
        let mut held = self.held().await;
        let enrollment = held.enrollment(&to.key).cloned().ok_or(PairingError::Unavailable)?;
        self.check_deferral()?;
        let recovery = Recovery::of_request();
        if let Some(claimed) = self.ask_status(&mut held, &to, &enrollment, &recovery, &code).await? {
            return Ok(claimed);
        }
        held.drop_token();
        let again = self.ask_status(&mut held, &to, &enrollment, &recovery, &code).await?;
        again.ok_or_else(|| {
            held.drop_token();
            PairingError::Unavailable
        })
    }

    /// `None` if the server token was refused.
    async fn ask_status(
        &self,
        held: &mut EnrollmentState,
        to: &Destination,
        enrollment: &Enrollment,
        recovery: &Recovery,
        code: &PairStatusRequest,
    ) -> Result<Option<PairingStatusResponse>, PairingError> {
        self.refreshed(held, to, enrollment.clone(), recovery).await?;
        match self.tools.backend.pair_status(&to.url, token(held)?, code).await {
            Ok(answer) => Ok(Some(PairingStatusResponse { claimed: answer.claimed, device: None, end_to_end: false })),
            Err(failure) if failure.kind == Kind::Permission => Ok(None),
            Err(failure) => {
                self.heed(&failure);
                Err(failure.into())
            }
        }
    }
}

fn token(held: &EnrollmentState) -> Result<&Secret, PairingError> {
    held.token().ok_or(PairingError::Unavailable)
}

fn paired(answer: PairResponse, now_ms: i64, mine: &Enrollment, url: &str) -> Result<PairingStartResponse, Failure> {
    if (&answer.server_id, &answer.environment_id) != (&mine.server_id, &mine.environment_id) {
        return Err(mismatch("pairing", mine, &answer.server_id, &answer.environment_id));
    }
    let expires_at = times::parse(&answer.expires_at).map_err(|e| {
        Failure::other(format!(
            "failed to parse remote control pairing response from `{url}`: expires_at parse error: {e}"
        ))
    })?;
    Ok(PairingStartResponse {
        pairing_code: answer.pairing_code.expose().to_owned(),
        manual_pairing_code: answer.manual_pairing_code.map(|code| code.expose().to_owned()),
        environment_id: answer.environment_id,
        expires_at: expires_at.div_euclid(1000),
        expires_in_seconds: Some(expires_at.saturating_sub(now_ms).div_euclid(1000).max(0)),
        end_to_end: None,
    })
}
