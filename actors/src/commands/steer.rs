//! Requests of a client about its running commands. Commands of other connections are unknown to it.

use std::future::Future;
use std::io;

use actix::dev::ToEnvelope;
use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio::sync::oneshot;

use super::Commands;
use super::execution::Execution;
use crate::command::{Command, InputRefused, Resize, Write};
use crate::context::Context;
use crate::post::Post;
use crate::protocol::RpcError;
use crate::protocol::command::{CommandExecResizeParams, CommandExecTerminateParams, CommandExecWriteParams};
use crate::protocol::quoted::beginning;
use crate::protocol::thread::Empty;
use crate::reply::Reply;

impl Commands {
    /// `command/exec/write`: answered when the bytes are queued, not when the command has read them.
    pub(super) fn write(&self, reply: Reply, params: &CommandExecWriteParams, ctx: &mut Context<Self>) {
        let name = params.process_id.clone();
        let (done, written) = oneshot::channel();
        let sent = params.bytes().and_then(|bytes| {
            let execution = self.find(&reply, &name)?;
            if !execution.takes_input() {
                return Err(RpcError::invalid_request("stdin streaming is not enabled for this command/exec"));
            }
            hand_over(execution, Write { bytes, close: params.close_stdin, done })
        });
        let answer = async move {
            match written.await {
                Ok(Ok(())) => Ok(Empty {}),
                Ok(Err(InputRefused::Closed)) => Err(RpcError::invalid_request("stdin is already closed")),
                Ok(Err(InputRefused::Full)) => Err(RpcError::overloaded()),
                Err(_) => Err(no_active(&name)),
            }
        };
        self.answer_later(reply, sent, answer, ctx);
    }

    /// `command/exec/resize`.
    pub(super) fn resize(&self, reply: Reply, params: &CommandExecResizeParams, ctx: &mut Context<Self>) {
        let name = params.process_id.clone();
        let (done, resized) = oneshot::channel::<io::Result<()>>();
        let sent = params.size.check().and_then(|()| {
            let execution = self.find(&reply, &name)?;
            if !execution.has_terminal() {
                return Err(not_resized("process is not attached to a PTY"));
            }
            hand_over(execution, Resize { size: params.size.into(), done })
        });
        let answer = async move {
            match resized.await {
                Ok(Ok(())) => Ok(Empty {}),
                Ok(Err(error)) => Err(not_resized(&error.to_string())),
                Err(_) => Err(no_active(&name)),
            }
        };
        self.answer_later(reply, sent, answer, ctx);
    }

    /// `command/exec/terminate`: answered at once. The request that started the command is answered when the command
    /// has ended.
    pub(super) fn terminate(&self, reply: Reply, params: &CommandExecTerminateParams, ctx: &mut Context<Self>) {
        let result = self.find(&reply, &params.process_id).map(|execution| {
            execution.terminate();
            Empty {}
        });
        ctx.post(&self.router, reply.answer(result));
    }

    fn find(&self, reply: &Reply, name: &str) -> Result<&Execution, RpcError> {
        let id = self.named.get(&(reply.connection(), name.to_owned()));
        id.and_then(|id| self.executions.get(id)).ok_or_else(|| no_active(name))
    }

    /// Answers with the result of `answer`, or at once if nothing was `sent`.
    fn answer_later(
        &self,
        reply: Reply,
        sent: Result<(), RpcError>,
        answer: impl Future<Output = Result<Empty, RpcError>> + 'static,
        ctx: &mut Context<Self>,
    ) {
        if let Err(error) = sent {
            return ctx.post(&self.router, reply.fail(&error));
        }
        ctx.spawn(wrap_future::<_, Self>(answer).map(|result, commands, ctx| {
            ctx.post(&commands.router, reply.answer(result));
        }));
    }
}

fn hand_over<M>(execution: &Execution, message: M) -> Result<(), RpcError>
where
    Command: Handler<M>,
    Context<Command>: ToEnvelope<Command, M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    execution.command().try_send(message).map_err(|error| match error {
        SendError::Full(_) => RpcError::overloaded(),
        SendError::Closed(_) => RpcError::invalid_request("the command has just ended"),
    })
}

/// The text is the reference program's.
fn no_active(name: &str) -> RpcError {
    RpcError::invalid_request(format_args!("no active command/exec for process id {:?}", beginning(name)))
}

/// The text is the reference program's.
fn not_resized(why: &str) -> RpcError {
    RpcError::invalid_request(format_args!("failed to resize PTY: {why}"))
}
