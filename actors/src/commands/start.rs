//! Starts a command for a request.

use std::ffi::OsString;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use command_launcher::Launcher;
use tokio::sync::oneshot;

use super::execution::Execution;
use super::{Commands, warnings};
use crate::catalog::{EffectiveSettings, ThreadDefaults, ThreadOverrides};
use crate::command::confinement::environment;
use crate::command::{Command, CommandId, Job, Listener, Streams, TerminalSize};
use crate::context::Context;
use crate::mailbox::start;
use crate::post::Post;
use crate::protocol::RpcError;
use crate::protocol::command::{CommandExecParams, CommandExecTerminalSize};
use crate::protocol::thread::SandboxPolicy;
use crate::reply::Reply;

/// Default size of a terminal.
const TERMINAL_SIZE: TerminalSize = TerminalSize { rows: 24, cols: 80 };

impl Commands {
    /// `command/exec`. The command's actor exists at once, so that the client's next requests find it; it starts when
    /// its policy is known.
    pub(super) fn exec(&mut self, reply: Reply, params: CommandExecParams, ctx: &mut Context<Self>) {
        let (launcher, listener) = match self.admit(&reply, &params) {
            Ok(admitted) => admitted,
            Err(error) => return ctx.post(&self.router, reply.fail(&error)),
        };
        let id = CommandId(self.next_id);
        self.next_id += 1;
        let (begin, job) = oneshot::channel();
        let command =
            start(self.limits.command_mailbox_messages, Command::new(id, self.limits.clone(), launcher, listener, job));
        if let Some(name) = &params.process_id {
            self.named.insert((reply.connection(), name.clone()), id);
        }
        self.executions.insert(id, Execution::new(&params, reply, command, &self.limits));

        if let Some(policy) = &params.sandbox_policy {
            let job = self.job(&params, policy);
            return self.begin(id, begin, Ok(job), ctx);
        }
        let profile = params.permission_profile.clone();
        let overrides = ThreadOverrides { permissions: profile.clone(), ..ThreadOverrides::default() };
        let settings = self.catalog.send(ThreadDefaults { cwd: params.cwd.clone(), overrides });
        ctx.spawn(wrap_future::<_, Self>(settings).map(move |settings, commands, ctx| {
            let settings = settings.unwrap_or_else(|_| Err(RpcError::internal("the catalog has ended")));
            let job = settings
                .map(|EffectiveSettings { sandbox_policy, .. }| commands.job(&params, &sandbox_policy))
                .map_err(|error| name_profile(error, profile.is_some()));
            commands.begin(id, begin, job, ctx);
        }));
    }

    /// Checks whether this client may start this command now.
    fn admit(&self, reply: &Reply, params: &CommandExecParams) -> Result<(Launcher, Listener), RpcError> {
        params.check()?;
        if let Some(name) = &params.process_id
            && self.named.contains_key(&(reply.connection(), name.clone()))
        {
            return Err(RpcError::invalid_request(format!("duplicate active command/exec process id: {name:?}")));
        }
        if self.ending {
            return Err(RpcError::draining());
        }
        if self.executions.len() >= self.limits.commands_total {
            return Err(RpcError::overloaded());
        }
        let launcher = self.launcher.clone().ok_or_else(|| RpcError::invalid_request(warnings::NO_LAUNCHER))?;
        let listener = self.listener.clone().ok_or_else(|| RpcError::internal("the registry has not started"))?;
        Ok((launcher, listener))
    }

    fn job(&self, params: &CommandExecParams, policy: &SandboxPolicy) -> Job {
        let cwd = self.host.cwd.join(params.cwd.as_deref().unwrap_or_default());
        let confinement = self.surroundings.confinement(policy, &cwd);
        let timeout = match params.timeout_ms.and_then(|ms| u64::try_from(ms).ok()) {
            _ if params.disable_timeout => None,
            Some(ms) => Some(Duration::from_millis(ms)),
            None => Some(self.limits.command_timeout_seconds.duration()),
        };
        let streams = if params.tty {
            Streams::Terminal(params.size.map_or(TERMINAL_SIZE, TerminalSize::from))
        } else {
            Streams::Pipes { stdin: params.stream_stdin }
        };
        Job {
            argv: params.command.iter().map(OsString::from).collect(),
            env: environment(&self.env, params.env.as_ref(), confinement.as_ref()),
            cwd,
            streams,
            confinement,
            timeout,
        }
    }

    fn begin(
        &mut self,
        id: CommandId,
        begin: oneshot::Sender<Job>,
        job: Result<Job, RpcError>,
        ctx: &mut Context<Self>,
    ) {
        match job {
            // The command is waiting for it, unless the system is ending.
            Ok(job) => drop(begin.send(job)),
            Err(error) => {
                if let Some(execution) = self.remove(id) {
                    ctx.post(&self.router, execution.fail(&error));
                }
            }
        }
    }
}

impl From<CommandExecTerminalSize> for TerminalSize {
    fn from(CommandExecTerminalSize { rows, cols }: CommandExecTerminalSize) -> Self {
        Self { rows, cols }
    }
}

/// Says that a refusal by the catalog is about the profile that the client named, in the reference program's words.
fn name_profile(error: RpcError, named: bool) -> RpcError {
    match error.message.strip_prefix("failed to load configuration: ") {
        Some(fault) if named => RpcError { message: format!("invalid permission profile: {fault}"), ..error },
        _ => error,
    }
}
