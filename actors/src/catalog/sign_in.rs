//! Signing in and out on behalf of clients.

use std::sync::Arc;

use actix::prelude::*;
use uuid::Uuid;

use super::reader::Reader;
use crate::account::Credentials;
use crate::protocol::account::{
    AccountLoginCompleted, AccountUpdated, AuthMode, CancelLoginAccountParams, CancelLoginAccountResponse,
    CancelLoginAccountStatus, LoginAccountParams, LoginAccountResponse, PlanType,
};
use crate::protocol::catalog::CatalogAnswer;
use crate::protocol::thread::{Empty, Unset};
use crate::protocol::{RpcError, Secret, ServerNotification};
use crate::router::Router;

/// A sign-in that waits for its user.
pub struct WaitingSignIn {
    /// What clients know it by.
    pub id: Uuid,
    /// The task that waits for the user.
    pub waits: SpawnHandle,
    /// Tells everyone how it ends.
    pub router: Arc<Addr<Router>>,
}

impl Reader {
    /// `account/login/start` with an API key.
    pub(super) fn log_in(&self, params: LoginAccountParams) -> Result<LoginAccountResponse, RpcError> {
        let LoginAccountParams::ApiKey { api_key } = params else {
            let text = "this server signs in with `apiKey`, `chatgpt` or `chatgptDeviceCode`; an account that `codex login` \
                        keeps in this CODEX_HOME counts here, too";
            return Err(RpcError::invalid_request(text));
        };
        let key = api_key.expose().trim();
        if key.is_empty() {
            return Err(RpcError::invalid_request("the API key is empty"));
        }
        let kept = self.credentials()?.sign_in_with_key(&Secret::from(key));
        kept.map_err(|reason| RpcError::internal(format_args!("the API key cannot be kept: {reason}")))?;
        Ok(LoginAccountResponse::ApiKey {})
    }

    /// `account/logout`
    pub(super) fn log_out(&self) -> Result<Empty, RpcError> {
        let removed = self.credentials()?.sign_out();
        removed.map_err(|reason| RpcError::internal(format_args!("the account cannot be removed: {reason}")))?;
        Ok(Empty {})
    }

    fn credentials(&self) -> Result<&Credentials, RpcError> {
        let setup = self.sources.sign_in.as_ref();
        setup.map(|setup| &*setup.account).ok_or_else(|| RpcError::invalid_request("nobody can sign in to this server"))
    }
}

/// `account/login/cancel` of a sign-in that does not wait.
pub(super) fn cancel(params: &CancelLoginAccountParams) -> Result<CancelLoginAccountResponse, RpcError> {
    let id = &params.login_id;
    Uuid::parse_str(id).map_err(|_| RpcError::invalid_request(format_args!("invalid login id: {id}")))?;
    Ok(CancelLoginAccountResponse { status: CancelLoginAccountStatus::NotFound })
}

/// What everyone is told after an answer about the account.
pub(super) fn news(answer: &CatalogAnswer) -> Vec<ServerNotification> {
    match answer {
        CatalogAnswer::AccountLogin(LoginAccountResponse::ApiKey {}) => {
            vec![completed(None, None), updated(Some(AuthMode::ApiKey), None)]
        }
        CatalogAnswer::AccountLogout(_) => vec![updated(None, None)],
        _ => Vec::new(),
    }
}

/// What everyone is told when the sign-in `id` to ChatGPT has ended, with its subscription or the reason of the failure.
pub(super) fn ended(id: Uuid, result: Result<PlanType, String>) -> Vec<ServerNotification> {
    match result {
        Ok(plan) => vec![completed(Some(id), None), updated(Some(AuthMode::Chatgpt), Some(plan))],
        Err(reason) => vec![failed(id, reason)],
    }
}

/// What everyone is told when the sign-in `id` has failed.
pub(super) fn failed(id: Uuid, reason: String) -> ServerNotification {
    completed(Some(id), Some(reason))
}

fn completed(id: Option<Uuid>, error: Option<String>) -> ServerNotification {
    ServerNotification::AccountLoginCompleted(AccountLoginCompleted {
        login_id: id.map(|id| id.to_string()),
        success: error.is_none(),
        error,
        onboarding_entrypoint: Unset,
    })
}

fn updated(auth_mode: Option<AuthMode>, plan_type: Option<PlanType>) -> ServerNotification {
    ServerNotification::AccountUpdated(AccountUpdated { auth_mode, plan_type, reason: Unset })
}
