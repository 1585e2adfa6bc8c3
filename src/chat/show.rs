//! Shows what happens in a thread.

use app_server_actors::protocol::{
    ServerNotification,
    item::{Item, ItemKind},
};

use super::{
    actions,
    desk::Held,
    paper::{Paper, notice},
};
use crate::output::Unwritten;

/// Shows what was kept while a question was open.
///
/// # Errors
/// stdout cannot be written.
pub async fn held(paper: &mut Paper, held: Held, cwd: &str) -> Result<(), Unwritten> {
    for notification in held.notifications {
        notified(paper, notification, cwd).await?;
    }
    if held.is_cut {
        paper.line("… more happened while you were asked; it is not shown").await?;
    }
    Ok(())
}

/// Shows what a notification says; `cwd` is the thread's directory.
///
/// # Errors
/// stdout cannot be written.
pub async fn notified(paper: &mut Paper, notification: ServerNotification, cwd: &str) -> Result<(), Unwritten> {
    match notification {
        ServerNotification::AgentMessageDelta(delta) => paper.piece(&delta.item_id, &delta.delta).await,
        ServerNotification::CommandExecutionOutputDelta(delta) => paper.output(&delta.item_id, &delta.delta).await,
        ServerNotification::ItemStarted(started) => match started.item.decode() {
            Ok(Item { kind: ItemKind::CommandExecution(command), .. }) => {
                paper.action(&actions::started(&command)).await
            }
            Ok(Item { kind: ItemKind::McpToolCall(call), .. }) => paper.action(&actions::called(&call)).await,
            _ => Ok(()),
        },
        ServerNotification::ItemCompleted(completed) => match completed.item.decode() {
            Ok(Item { kind, id, .. }) => ended(paper, &id, &kind, cwd).await,
            // Items of a later version say nothing here.
            Err(_) => Ok(()),
        },
        ServerNotification::TurnPlanUpdated(updated) => paper.actions(actions::plan(&updated)).await,
        ServerNotification::Error(failure) if failure.will_retry => {
            notice(&format!("{} (trying again)", failure.error.message));
            Ok(())
        }
        ServerNotification::Warning(warning) => {
            notice(&format!("Warning: {}", warning.message));
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn ended(paper: &mut Paper, id: &str, kind: &ItemKind, cwd: &str) -> Result<(), Unwritten> {
    match kind {
        ItemKind::AgentMessage(message) => paper.complete(id, &message.text).await,
        ItemKind::CommandExecution(command) => paper.actions(actions::ended(command)).await,
        ItemKind::McpToolCall(call) => paper.actions(actions::not_called(call)).await,
        ItemKind::FileChange(patch) => paper.actions(actions::patched(patch, cwd)).await,
        _ => Ok(()),
    }
}
