//! A shell command of the user: it runs with all rights, in the middle of a turn or as one of its own, and the model sees
//! what came of it.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::outcome::Made;
use super::toolbox::Toolbox;
use crate::approval::actions::command_actions;
use crate::approval::harmless::harmless;
use crate::approval::shell::Script;
use crate::command::Run;
use crate::protocol::item::{CommandExecution, CommandExecutionSource, CommandExecutionStatus, ItemKind};
use crate::protocol::model::{HistoryItem, Role};
use crate::reply::Reply;
use crate::turn::messages::TurnEvent;
use crate::turn::shell::{End, Look};

/// Runs the command to its end, or until the turn is to end. `reply` is answered when it begins.
pub(in crate::turn) async fn user_shell(
    toolbox: Rc<Toolbox>,
    reply: Option<Reply>,
    script: String,
    timeout: Duration,
) -> Made {
    let begun = Instant::now();
    toolbox.report(reply.map(|reply| TurnEvent::Taken { reply }).into_iter().collect()).await;
    let result = match toolbox.run_for_user(&script, timeout).await {
        Ok(result) => format!("{result}\nDuration: {:.4} seconds", begun.elapsed().as_secs_f64()),
        Err(reason) => reason,
    };
    let text = format!(
        "<user_shell_command>\n<command>\n{script}\n</command>\n<result>\n{result}\n</result>\n</user_shell_command>"
    );
    Made { number: usize::MAX, entry: HistoryItem::text(Role::User, text), ends_turn: false }
}

impl Toolbox {
    async fn run_for_user(&self, script: &str, timeout: Duration) -> Result<String, String> {
        let place = self.shells.reserve(self.setup.limits.running_commands).map_err(|error| error.to_string())?;
        let number = place.number;
        let parsed = Script::of_text(&self.setup.shell, script);
        let argv = [&self.setup.shell, "-lc", script].map(str::to_owned);
        let command = shlex::try_join(argv.iter().map(String::as_str)).unwrap_or_else(|_| argv.join(" "));
        let kind = ItemKind::CommandExecution(CommandExecution {
            plugin_id: Default::default(),
            script_path: Default::default(),
            command: command.clone(),
            cwd: self.rules.cwd.to_string_lossy().into_owned(),
            process_id: None,
            source: CommandExecutionSource::UserShell,
            status: CommandExecutionStatus::InProgress,
            command_actions: command_actions(&parsed, script),
            aggregated_output: None,
            exit_code: None,
            duration_ms: None,
        });
        let item = self.item(String::new(), kind);
        self.report(vec![TurnEvent::ItemStarted(item.clone())]).await;
        let (rules, workspace) = self.rules_for(false, true);
        let run = Run {
            argv: argv.map(Into::into).to_vec(),
            cwd: self.rules.cwd.clone(),
            cwd_is_real: false,
            workspace,
            rules,
            environment: Some(self.environment()),
            with_programs: true,
            timeout: Some(timeout),
        };
        let shell = self.start_shell(place, item, run, harmless(&parsed), false, command).await;
        tokio::select! {
            () = shell.ended.cancelled() => {}
            () = self.stop.cancelled() => self.shells.end(|other| other.number == number).await,
        }
        let seen = shell.shell.send(Look { most_bytes: self.rules.output_bytes }).await;
        self.shells.forget(number);
        let seen = seen.map_err(|_| "the server lost track of the command".to_owned())?;
        match seen.end {
            Some(End::NotStarted(reason)) => Err(reason),
            Some(End::Exited(code)) => Ok(format!("Exit code: {code}\nOutput:\n{}", seen.output)),
            None => Ok(format!("Output:\n{}", seen.output)),
        }
    }
}
