//! The answers to clients (spec: remote control 12).

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio::sync::OwnedSemaphorePermit;

use super::failure::{Failure, Kind};
use super::{Desired, RemoteControl, clients, heard, pairing};
use crate::account::Recovery;
use crate::context::Context;
use crate::panics::guarded_future;
use crate::post::Post;
use crate::protocol::RpcError;
use crate::protocol::remote::{
    RemoteControlAnswer as Answer, RemoteControlClientsRevokeParams, RemoteControlRequest as Request,
};
use crate::protocol::thread::Empty;
use crate::remote_link::{Readmit, Revoke};
use crate::reply::Reply;

pub(super) type Answered = Result<Answer, RpcError>;

/// -32600 for what the user can change, -32603 for the rest.
fn told(failure: Failure) -> RpcError {
    match failure.kind {
        Kind::SignedOut | Kind::Permission | Kind::NotFound => RpcError::invalid_request(failure.text),
        _ => RpcError::internal(failure.text),
    }
}

impl RemoteControl {
    pub(super) fn ask(&mut self, reply: Reply, request: Request, ctx: &mut Context<Self>) {
        // While a cycle runs, it does this itself, and checks twice.
        if self.cycle.is_none() && !self.session.is_current() {
            self.end_session(ctx);
        }
        let session = self.session.clone();
        match request {
            Request::StatusRead(()) => self.answer(reply, Ok(Answer::StatusRead(self.status.read())), ctx),
            Request::Enable(params) => self.client_enables(reply, params.ephemeral, ctx),
            Request::Disable(params) => self.client_disables(reply, params.ephemeral, ctx),
            Request::ClientList(params) => {
                self.call(reply, async move { session.clients(params).await.map(Answer::ClientList) }, ctx);
            }
            Request::ClientRevoke(params) => match clients::check_revoke(&params) {
                Err(error) => self.answer(reply, Err(error), ctx),
                Ok(()) => self.client_revokes(reply, params, ctx),
            },
            Request::PairingStart(params) => match self.check_enabled() {
                Err(error) => self.answer(reply, Err(error), ctx),
                Ok(()) => {
                    let (readmitted, scopes) = (self.link.readmit.send(Readmit), params.scopes);
                    let (link, pairings) = (self.link.clone(), self.pairings.clone());
                    let paired = async move {
                        heard(readmitted.await);
                        let mut answer = session.pair(params).await.map_err(RpcError::from)?;
                        if session.tools.settings.encrypts() {
                            answer.end_to_end = Some(session.expect_device(&answer, scopes, &pairings, &link).await?);
                        }
                        Ok(Answer::PairingStart(answer))
                    };
                    self.call(reply, paired, ctx);
                }
            },
            Request::PairingConfirm(params) => self.client_confirms(reply, params, ctx),
            Request::PairingStatus(params) => {
                match pairing::code(params).and_then(|code| self.check_enabled().map(|()| code)) {
                    Err(error) => self.answer(reply, Err(error), ctx),
                    Ok(code) => {
                        let pairings = self.pairings.clone();
                        let asked = async move {
                            let device = pairings.borrow().device(&code);
                            let mut status = session.pairing_status(code).await.map_err(RpcError::from)?;
                            (status.device, status.end_to_end) = (device, session.tools.settings.encrypts());
                            Ok(Answer::PairingStatus(status))
                        };
                        self.call(reply, asked, ctx);
                    }
                }
            }
        }
    }

    /// With `ephemeral` it takes effect at once. Otherwise it takes effect when this host is enrolled and the decision
    /// is on disk; if that fails, nothing changes.
    fn client_enables(&mut self, reply: Reply, ephemeral: bool, ctx: &mut Context<Self>) {
        let number = self.request_order.next();
        if ephemeral {
            self.enable(ctx);
            return self.answer(reply, Ok(Answer::State(self.status.state())), ctx);
        }
        let Some(permit) = self.permit() else { return self.answer(reply, Err(RpcError::overloaded()), ctx) };
        let lasting = self.request_order.next_lasting();
        let (session, order) = (self.session.clone(), self.request_order.clone());
        let enrolled = async move {
            let to = session.destination().await?;
            let recovery = Recovery::of_request();
            let mut held = session.held().await;
            let enrollment = session.enrolled(&mut held, &to, &recovery).await?;
            drop((held, permit));
            if order.is_last_lasting(lasting) {
                session.remember(to.key, true).await?;
            }
            Ok(enrollment.environment_id)
        };
        self.work(reply, enrolled, ctx, move |control, enrolled: Result<String, Failure>, ctx| {
            let environment_id = enrolled.map_err(told)?;
            if control.request_order.is_last(number) {
                control.enable(ctx);
                control.status.environment(Some(&environment_id));
            }
            Ok(Answer::State(control.status.state()))
        });
    }

    /// Takes effect at once. Without `ephemeral` it is answered when the decision is on disk. It needs no request to
    /// the backend, so it is possible at any time.
    fn client_disables(&mut self, reply: Reply, ephemeral: bool, ctx: &mut Context<Self>) {
        self.request_order.next();
        let hung_up = self.disable(ctx);
        let state = self.status.state();
        let lasting = (!ephemeral).then(|| self.request_order.next_lasting());
        let (session, order) = (self.session.clone(), self.request_order.clone());
        let forgotten = async move {
            hung_up.await;
            if let Some(lasting) = lasting {
                let to = session.destination().await?;
                if order.is_last_lasting(lasting) {
                    session.remember(to.key, false).await?;
                }
            }
            Ok(())
        };
        self.work(reply, forgotten, ctx, move |_, forgotten: Result<(), Failure>, _| {
            forgotten.map_err(told).map(|()| Answer::State(state))
        });
    }

    /// The streams of the controller end before the backend is asked, and whatever it answers.
    fn client_revokes(&mut self, reply: Reply, params: RemoteControlClientsRevokeParams, ctx: &mut Context<Self>) {
        let is_here = self.status.may_be_of(&params.environment_id);
        let revoke = Revoke { client: params.client_id.clone(), confirmed: false };
        let ended = is_here.then(|| self.link.revoke.send(revoke.clone()));
        let (session, link, permit) = (self.session.clone(), self.link.clone(), self.permit());
        let revoked = async move {
            if let Some(ended) = ended {
                heard(ended.await);
            }
            // Whatever the relay answers: its word does not bring the device back.
            let forgotten = session.forget_device(&params).await;
            let _permit = permit.ok_or_else(RpcError::overloaded)?;
            let asked = session.revoke(params).await;
            let is_unknown = matches!(&asked, Err(failure) if failure.kind == Kind::NotFound);
            if is_here && (asked.is_ok() || is_unknown) {
                heard(link.revoke.send(Revoke { confirmed: true, ..revoke }).await);
            }
            // A relay that does not know a device that was paired here says nothing new.
            let was_here = forgotten?;
            if !(was_here && is_unknown) {
                asked.map_err(clients::told)?;
            }
            Ok(Answer::ClientRevoke(Empty {}))
        };
        self.work(reply, revoked, ctx, |_, answered, _| answered);
    }

    fn check_enabled(&self) -> Result<(), RpcError> {
        if self.desired == Desired::Enabled {
            return Ok(());
        }
        Err(RpcError::invalid_request("remote control pairing requires remote control to be enabled"))
    }

    /// Answers when the backend has answered, unless too many requests are waiting for it.
    fn call(&self, reply: Reply, call: impl Future<Output = Answered> + 'static, ctx: &mut Context<Self>) {
        let Some(permit) = self.permit() else { return self.answer(reply, Err(RpcError::overloaded()), ctx) };
        let call = async move {
            let _permit = permit;
            call.await
        };
        self.work(reply, call, ctx, |_, answered, _| answered);
    }

    /// Permission to wait for the backend, limited by the settings.
    fn permit(&self) -> Option<OwnedSemaphorePermit> {
        self.calls.clone().try_acquire_owned().ok()
    }

    /// Runs `work` beside the mailbox, and answers with its result.
    pub(super) fn work<T: 'static>(
        &self,
        reply: Reply,
        work: impl Future<Output = T> + 'static,
        ctx: &mut Context<Self>,
        then: impl FnOnce(&mut Self, T, &mut Context<Self>) -> Answered + 'static,
    ) {
        let work = guarded_future("a request about remote control", work);
        ctx.spawn(wrap_future::<_, Self>(work).map(move |done, control, ctx| {
            // After a panic the reply is dropped, which answers -32603.
            if let Some(done) = done {
                let answered = then(control, done, ctx);
                control.answer(reply, answered, ctx);
            }
        }));
    }

    pub(super) fn answer(&self, reply: Reply, answered: Answered, ctx: &mut Context<Self>) {
        ctx.post(&self.router, reply.answer(answered));
    }
}
