//! Signing in and out on behalf of clients.

use std::sync::Arc;

use uuid::Uuid;

use super::reader::Reader;
use crate::account::Credentials;
use crate::protocol::account::{
    AccountLoginCompleted, AccountUpdated, AuthMode, CancelLoginAccountParams, CancelLoginAccountResponse,
    CancelLoginAccountStatus, LoginAccountParams, LoginAccountResponse,
};
use crate::protocol::catalog::CatalogAnswer;
use crate::protocol::thread::{Empty, Unset};
use crate::protocol::{RpcError, Secret, ServerNotification};

impl Reader {
    /// `account/login/start`
    pub(super) fn log_in(&self, params: LoginAccountParams) -> Result<LoginAccountResponse, RpcError> {
        let LoginAccountParams::ApiKey { api_key } = params else {
            let text = "this server signs in with an API key only; to use ChatGPT, sign in with `codex login`, which \
                        keeps the account where this server finds it";
            return Err(RpcError::invalid_request(text));
        };
        let key = api_key.expose().trim();
        if key.is_empty() {
            return Err(RpcError::invalid_request("the API key is empty"));
        }
        let kept = self.credentials().sign_in_with_key(&Secret::from(key));
        kept.map_err(|reason| RpcError::internal(format_args!("the API key cannot be kept: {reason}")))?;
        Ok(LoginAccountResponse::ApiKey {})
    }

    /// `account/logout`
    pub(super) fn log_out(&self) -> Result<Empty, RpcError> {
        let removed = self.credentials().sign_out();
        removed.map_err(|reason| RpcError::internal(format_args!("the account cannot be removed: {reason}")))?;
        Ok(Empty {})
    }

    fn credentials(&self) -> Arc<Credentials> {
        self.sources.account.clone().unwrap_or_else(|| Arc::new(Credentials::new(&self.sources.codex_home)))
    }
}

/// `account/login/cancel`. A sign-in with an API key is complete when it is answered, so there is none to cancel.
pub(super) fn cancel(params: &CancelLoginAccountParams) -> Result<CancelLoginAccountResponse, RpcError> {
    let id = &params.login_id;
    Uuid::parse_str(id).map_err(|_| RpcError::invalid_request(format_args!("invalid login id: {id}")))?;
    Ok(CancelLoginAccountResponse { status: CancelLoginAccountStatus::NotFound })
}

/// What everyone is told after an answer.
pub(super) fn news(answer: &CatalogAnswer) -> Vec<ServerNotification> {
    let updated =
        |auth_mode| ServerNotification::AccountUpdated(AccountUpdated { auth_mode, plan_type: None, reason: Unset });
    match answer {
        CatalogAnswer::AccountLogin(LoginAccountResponse::ApiKey {}) => {
            let completed =
                AccountLoginCompleted { login_id: None, success: true, error: None, onboarding_entrypoint: Unset };
            vec![ServerNotification::AccountLoginCompleted(completed), updated(Some(AuthMode::ApiKey))]
        }
        CatalogAnswer::AccountLogout(_) => vec![updated(None)],
        _ => Vec::new(),
    }
}
