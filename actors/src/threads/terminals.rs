//! Requests about shell commands: those that agents left running, and those of users.

use std::time::Duration;

use super::refusals::{thread_id, thread_not_found};
use super::{Threads, Work, decided, finish, hand_over, work};
use crate::protocol::RpcError;
use crate::protocol::thread::{
    Empty, ThreadBackgroundTerminal, ThreadBackgroundTerminalsListParams, ThreadBackgroundTerminalsListResponse,
    ThreadBackgroundTerminalsTerminateParams, ThreadBackgroundTerminalsTerminateResponse, ThreadId, ThreadIdParams,
    ThreadShellCommandParams,
};
use crate::thread::RunUserCommand;
use crate::turn::{ShellHandle, UserCommand};

/// Terminals on a page unless the client says otherwise.
const USUAL_PAGE: u32 = 25;

/// How long a command of a user may run unless the client says otherwise (the reference program's time).
const USUAL_TIME: Duration = Duration::from_secs(60 * 60);

impl Threads {
    /// `thread/backgroundTerminals/list`: oldest first; a cursor is the number of the last one on the page before.
    pub(super) fn terminals(&self, params: &ThreadBackgroundTerminalsListParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        let after: u32 = match params.cursor.as_deref().map(str::parse) {
            Some(Err(_)) => return Err(RpcError::invalid_request("invalid cursor")),
            Some(Ok(number)) => number,
            None => 0,
        };
        let most = params.limit.unwrap_or(USUAL_PAGE).max(1) as usize;
        let mut running: Vec<_> = self.shells(id).into_iter().filter(|shell| shell.number > after).collect();
        let has_more = running.len() > most;
        running.truncate(most);
        let next_cursor = running.last().filter(|_| has_more).map(|last| last.number.to_string());
        let page = ThreadBackgroundTerminalsListResponse {
            data: running.into_iter().map(ThreadBackgroundTerminal::from).collect(),
            next_cursor,
        };
        self.if_known(id, move |reply| reply.ok(&page))
    }

    /// `thread/backgroundTerminals/terminate`: answered when the command was told to end.
    pub(super) fn end_terminal(&self, params: ThreadBackgroundTerminalsTerminateParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        let meant = self.shells(id).into_iter().find(|shell| shell.number.to_string() == params.process_id);
        let Some(shell) = meant else {
            return self
                .if_known(id, |reply| reply.ok(&ThreadBackgroundTerminalsTerminateResponse { terminated: false }));
        };
        work(async move {
            shell.end().await;
            finish(|_, reply| reply.ok(&ThreadBackgroundTerminalsTerminateResponse { terminated: true }))
        })
    }

    /// `thread/backgroundTerminals/clean`: answered when all commands were told to end.
    pub(super) fn end_terminals(&self, params: &ThreadIdParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        let running = self.shells(id);
        if running.is_empty() {
            return self.if_known(id, |reply| reply.ok(&Empty {}));
        }
        work(async move {
            futures_util::future::join_all(running.iter().map(ShellHandle::end)).await;
            finish(|_, reply| reply.ok(&Empty {}))
        })
    }

    /// `thread/shellCommand`: answered when the command begins.
    pub(super) fn shell_command(&self, params: ThreadShellCommandParams) -> Result<Work, RpcError> {
        let ThreadShellCommandParams { thread_id, command: script, timeout_ms } = params;
        let thread = self.live(&thread_id)?;
        if script.trim().is_empty() {
            return Err(RpcError::invalid_request("command must not be empty"));
        }
        let timeout = match timeout_ms.map(u64::try_from) {
            Some(Err(_)) => return Err(RpcError::invalid_request("timeoutMs must be non-negative")),
            Some(Ok(milliseconds)) => Duration::from_millis(milliseconds),
            None => USUAL_TIME,
        };
        let rules = self.rules_now(&thread_id)?;
        work(async move {
            let rules = rules.await?;
            hand_over(move |reply| async move {
                let command = UserCommand { reply, script, timeout };
                // Where the thread fails meanwhile, the reply is dropped with the message, which answers that.
                let _ = thread.send(RunUserCommand { command, rules }).await;
            })
        })
    }

    fn shells(&self, id: ThreadId) -> Vec<ShellHandle> {
        self.loaded.get(&id).map(|loaded| loaded.shells.running()).unwrap_or_default()
    }

    /// Answers a request about a thread that exists.
    fn if_known(
        &self,
        id: ThreadId,
        answer: impl FnOnce(crate::reply::Reply) -> crate::router::Outcome + 'static,
    ) -> Result<Work, RpcError> {
        if self.loaded.contains_key(&id) {
            return decided(finish(|_, reply| answer(reply)));
        }
        let record = self.known(id);
        work(async move {
            record.await?.ok_or_else(|| thread_not_found(id))?;
            finish(|_, reply| answer(reply))
        })
    }
}

impl From<ShellHandle> for ThreadBackgroundTerminal {
    fn from(ShellHandle { number, item_id, command, cwd, .. }: ShellHandle) -> Self {
        let (process_id, cwd) = (number.to_string(), cwd.to_string_lossy().into_owned());
        Self { item_id, process_id, command, cwd, os_pid: None, cpu_percent: None, rss_kb: None }
    }
}
