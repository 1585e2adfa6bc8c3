//! The sign-in that waits for its user. There is at most one: another one takes its place.

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use uuid::Uuid;

use super::Catalog;
use super::sign_in::{self, WaitingSignIn};
use crate::account::browser::BrowserSignIn;
use crate::account::device::DeviceSignIn;
use crate::account::issuer::SignInSetup;
use crate::context::Context;
use crate::panics::guarded_future;
use crate::post::Post;
use crate::protocol::account::{
    CancelLoginAccountResponse, CancelLoginAccountStatus, LoginAccountParams, LoginAccountResponse, PlanType,
};
use crate::protocol::catalog::{CatalogAnswer, CatalogRequest};
use crate::protocol::{RpcError, ServerNotification};
use crate::reply::Reply;
use crate::router::Outcome;

/// Where a user signs in to ChatGPT.
#[derive(Clone, Copy)]
pub enum Place {
    /// In a browser of this machine.
    Browser,
    /// On another device, with a code.
    Device,
}

/// A sign-in that has begun.
enum Begun {
    Browser(BrowserSignIn),
    Device(DeviceSignIn),
}

impl Place {
    async fn begin(self, setup: SignInSetup) -> Result<Begun, String> {
        match self {
            Self::Browser => {
                let begun = BrowserSignIn::begin(setup).await.map(Begun::Browser);
                begun.map_err(|reason| format!("failed to start login server: {reason}"))
            }
            Self::Device => {
                let begun = DeviceSignIn::begin(setup).await.map(Begun::Device);
                begun.map_err(|reason| format!("failed to request device code: {reason}"))
            }
        }
    }
}

impl Begun {
    /// What the client is told.
    fn answer(&self, id: Uuid) -> Result<LoginAccountResponse, String> {
        let login_id = id.to_string();
        Ok(match self {
            Self::Browser(sign_in) => LoginAccountResponse::Chatgpt { login_id, auth_url: sign_in.auth_url()? },
            Self::Device(sign_in) => LoginAccountResponse::ChatgptDeviceCode {
                login_id,
                verification_url: sign_in.verification_url().to_owned(),
                user_code: sign_in.user_code().to_owned(),
            },
        })
    }

    async fn finish(self) -> Result<PlanType, String> {
        match self {
            Self::Browser(sign_in) => sign_in.finish().await,
            Self::Device(sign_in) => sign_in.finish().await,
        }
    }
}

impl Catalog {
    /// Where a request signs in to ChatGPT, and what that needs.
    pub(super) fn signs_in_to_chatgpt(&self, request: &CatalogRequest) -> Option<(Place, SignInSetup)> {
        let CatalogRequest::AccountLoginStart(params) = request else { return None };
        let place = match **params {
            LoginAccountParams::Chatgpt {} => Place::Browser,
            LoginAccountParams::ChatgptDeviceCode {} => Place::Device,
            _ => return None,
        };
        Some((place, self.sources.sign_in.clone()?))
    }

    /// Begins a sign-in, answers with where it goes on, and then waits for the user without holding up other requests.
    pub(super) fn sign_in_to_chatgpt(
        &mut self,
        reply: Reply,
        (place, setup): (Place, SignInSetup),
        ctx: &mut Context<Self>,
    ) {
        let connection = reply.connection();
        // The next one needs the port of the one before.
        let earlier = match place {
            Place::Browser => self.end_waiting(None, ctx),
            Place::Device => None,
        };
        let begun = wrap_future::<_, Self>(guarded_future("a sign-in", place.begin(setup)));
        ctx.spawn(begun.map(move |begun, catalog, ctx| {
            match begun {
                Some(Ok(sign_in)) => catalog.wait_for_user(reply, sign_in, earlier, ctx),
                Some(Err(reason)) => {
                    let error = Err::<CatalogAnswer, _>(RpcError::internal(reason));
                    reply.post_with::<Self>(error, earlier, ctx);
                }
                // After a panic the reply is dropped, which answers -32603.
                None => drop(reply),
            }
            catalog.end(connection);
            catalog.begin(connection, ctx);
        }));
    }

    fn wait_for_user(
        &mut self,
        reply: Reply,
        sign_in: Begun,
        earlier: Option<ServerNotification>,
        ctx: &mut Context<Self>,
    ) {
        let Some(router) = reply.router() else { return };
        let told = earlier.into_iter().chain(self.end_waiting(None, ctx)).collect::<Vec<_>>();
        let id = Uuid::now_v7();
        let answer = match sign_in.answer(id) {
            Ok(answer) => answer,
            Err(reason) => {
                reply.post_with::<Self>(Err::<CatalogAnswer, _>(RpcError::internal(reason)), told, ctx);
                return;
            }
        };
        let finished = wrap_future::<_, Self>(guarded_future("a sign-in", sign_in.finish()));
        let waits = ctx.spawn(finished.map(move |finished, catalog, ctx| {
            let Some(waiting) = catalog.waiting.take_if(|waiting| waiting.id == id) else { return };
            let finished = finished.unwrap_or_else(|| Err("the server failed while it signed in".to_owned()));
            let outcome = sign_in::ended(id, finished).into_iter().fold(Outcome::none(), Outcome::publish);
            ctx.post(&waiting.router, outcome);
        }));
        self.waiting = Some(WaitingSignIn { id, waits, router });
        reply.post_with::<Self>(Ok(CatalogAnswer::AccountLogin(answer)), told, ctx);
    }

    /// Answers a request that cancels the sign-in that waits, and gives back every other one.
    pub(super) fn cancel_sign_in(
        &mut self,
        reply: Reply,
        request: CatalogRequest,
        ctx: &mut Context<Self>,
    ) -> Option<(Reply, CatalogRequest)> {
        let named = match &request {
            CatalogRequest::AccountLoginCancel(params) => Uuid::parse_str(&params.login_id).ok(),
            _ => None,
        };
        let Some(told) = named.and_then(|id| self.end_waiting(Some(id), ctx)) else { return Some((reply, request)) };
        let answer = CancelLoginAccountResponse { status: CancelLoginAccountStatus::Canceled };
        reply.post_with::<Self>(Ok(CatalogAnswer::AccountLoginCancel(answer)), [told], ctx);
        None
    }

    /// Ends the sign-in that waits, or only the one with this id: what everyone is told.
    fn end_waiting(&mut self, only: Option<Uuid>, ctx: &mut Context<Self>) -> Option<ServerNotification> {
        let waiting = self.waiting.take_if(|waiting| only.is_none_or(|id| id == waiting.id))?;
        ctx.cancel_future(waiting.waits);
        Some(sign_in::failed(waiting.id, "the sign-in was cancelled".to_owned()))
    }
}
