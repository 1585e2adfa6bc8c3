//! Starts a command for a request.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;

use super::Commands;
use super::execution::Execution;
use crate::catalog::{ThreadDefaults, ThreadOverrides};
use crate::command::{Command, CommandId, NotRun, Rules, Run, Streams, TerminalSize, Waiting};
use crate::context::Context;
use crate::post::Post;
use crate::protocol::RpcError;
use crate::protocol::command::{CommandExecParams, CommandExecTerminalSize};
use crate::protocol::quoted::beginning;
use crate::reply::Reply;

/// Default size of a terminal.
const TERMINAL_SIZE: TerminalSize = TerminalSize { rows: 24, cols: 80 };

impl Commands {
    /// `command/exec`. The command's actor exists at once, so that the client's next requests find it; it starts when
    /// its rules are known.
    pub(super) fn exec(&mut self, reply: Reply, params: CommandExecParams, ctx: &mut Context<Self>) {
        let id = CommandId(self.next_id);
        let (command, waiting) = match self.admit(id, &reply, &params) {
            Ok(admitted) => admitted,
            Err(error) => return ctx.post(&self.router, reply.fail(&error)),
        };
        self.next_id += 1;
        if let Some(name) = &params.process_id {
            self.named.insert((reply.connection(), name.clone()), id);
        }
        self.executions.insert(id, Execution::new(&params, reply, command, &self.limits));

        let profile = params.permission_profile.clone();
        let overrides = ThreadOverrides { permissions: profile.clone(), ..ThreadOverrides::default() };
        let settings = self.catalog.send(ThreadDefaults { cwd: params.cwd.clone(), overrides });
        ctx.spawn(wrap_future::<_, Self>(settings).map(move |settings, commands, ctx| {
            let settings = settings.unwrap_or_else(|_| Err(RpcError::internal("the catalog has ended")));
            let begun = settings
                .map_err(|error| name_profile(error, profile.is_some()))
                .and_then(|settings| Ok(commands.runner.begin(waiting, commands.run(params, settings.rules()))?));
            if let Err(error) = begun
                && let Some(execution) = commands.remove(id)
            {
                ctx.post(&commands.router, execution.fail(&error));
            }
        }));
    }

    /// Checks whether this client may start this command now.
    fn admit(
        &self,
        id: CommandId,
        reply: &Reply,
        params: &CommandExecParams,
    ) -> Result<(Arc<Addr<Command>>, Waiting), RpcError> {
        params.check()?;
        if let Some(name) = &params.process_id
            && self.named.contains_key(&(reply.connection(), name.clone()))
        {
            return Err(RpcError::invalid_request(format_args!(
                "duplicate active command/exec process id: {:?}",
                beginning(name)
            )));
        }
        if self.ending {
            return Err(RpcError::draining());
        }
        if self.executions.len() >= self.limits.commands_total {
            return Err(RpcError::overloaded());
        }
        let listener = self.listener.clone().ok_or(NotRun::NoLauncher)?;
        let streams = if params.tty {
            Streams::Terminal(params.size.map_or(TERMINAL_SIZE, TerminalSize::from))
        } else {
            Streams::Pipes { stdin: params.stream_stdin }
        };
        Ok(self.runner.prepare(id, streams, listener)?)
    }

    /// What the client wants run. Its own policy counts more than that of the `rules`.
    fn run(&self, params: CommandExecParams, rules: Rules) -> Run {
        let timeout = match params.timeout_ms.and_then(|ms| u64::try_from(ms).ok()) {
            _ if params.disable_timeout => None,
            Some(ms) => Some(Duration::from_millis(ms)),
            None => Some(self.limits.command_timeout_seconds.duration()),
        };
        let cwd = self.host.cwd.join(params.cwd.as_deref().unwrap_or_default());
        Run {
            argv: params.command.iter().map(OsString::from).collect(),
            workspace: cwd.clone(),
            cwd,
            cwd_is_real: false,
            rules: Rules { sandbox: params.sandbox_policy.unwrap_or(rules.sandbox), ..rules },
            environment: params.env,
            with_programs: false,
            timeout,
        }
    }
}

impl From<NotRun> for RpcError {
    fn from(reason: NotRun) -> Self {
        Self::invalid_request(reason)
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
        Some(fault) if named => RpcError::new(error.code, format_args!("invalid permission profile: {fault}")),
        _ => error,
    }
}
