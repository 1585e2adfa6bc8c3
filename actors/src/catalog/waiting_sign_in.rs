//! The sign-in that waits for its user. There is at most one: another one takes its place.

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use uuid::Uuid;

use super::Catalog;
use super::sign_in::{self, WaitingSignIn};
use crate::account::device::{DeviceSignIn, SignInSetup};
use crate::context::Context;
use crate::panics::guarded_future;
use crate::post::Post;
use crate::protocol::account::{
    CancelLoginAccountResponse, CancelLoginAccountStatus, LoginAccountParams, LoginAccountResponse,
};
use crate::protocol::catalog::{CatalogAnswer, CatalogRequest};
use crate::protocol::{RpcError, ServerNotification};
use crate::reply::Reply;
use crate::router::Outcome;

impl Catalog {
    /// What a request needs that signs in with a code.
    pub(super) fn signs_in_with_code(&self, request: &CatalogRequest) -> Option<SignInSetup> {
        match request {
            CatalogRequest::AccountLoginStart(params)
                if matches!(**params, LoginAccountParams::ChatgptDeviceCode {}) =>
            {
                self.sources.sign_in.clone()
            }
            _ => None,
        }
    }

    /// Asks for a code, answers with it, and then waits for the user without holding up other requests.
    pub(super) fn sign_in_with_code(&mut self, reply: Reply, setup: SignInSetup, ctx: &mut Context<Self>) {
        let connection = reply.connection();
        let begun = wrap_future::<_, Self>(guarded_future("a sign-in", DeviceSignIn::begin(setup)));
        ctx.spawn(begun.map(move |begun, catalog, ctx| {
            match begun {
                Some(Ok(sign_in)) => catalog.wait_for_user(reply, sign_in, ctx),
                Some(Err(reason)) => {
                    let error = RpcError::internal(format_args!("failed to request device code: {reason}"));
                    reply.post::<Self>(Err::<CatalogAnswer, _>(error), ctx);
                }
                // After a panic the reply is dropped, which answers -32603.
                None => drop(reply),
            }
            catalog.end(connection);
            catalog.begin(connection, ctx);
        }));
    }

    fn wait_for_user(&mut self, reply: Reply, sign_in: DeviceSignIn, ctx: &mut Context<Self>) {
        let Some(router) = reply.router() else { return };
        let earlier = self.end_waiting(None, ctx);
        let id = Uuid::now_v7();
        let answer = LoginAccountResponse::ChatgptDeviceCode {
            login_id: id.to_string(),
            verification_url: sign_in.verification_url(),
            user_code: sign_in.user_code().to_owned(),
        };
        let finished = wrap_future::<_, Self>(guarded_future("a sign-in", sign_in.finish()));
        let waits = ctx.spawn(finished.map(move |finished, catalog, ctx| {
            let Some(waiting) = catalog.waiting.take_if(|waiting| waiting.id == id) else { return };
            let finished = finished.unwrap_or_else(|| Err("the server failed while it signed in".to_owned()));
            let outcome = sign_in::ended(id, finished).into_iter().fold(Outcome::none(), Outcome::publish);
            ctx.post(&waiting.router, outcome);
        }));
        self.waiting = Some(WaitingSignIn { id, waits, router });
        reply.post_with::<Self>(Ok(CatalogAnswer::AccountLogin(answer)), earlier, ctx);
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
