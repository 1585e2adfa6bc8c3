//! Prints the notifications of a server as they arrive.

use app_server_actors::protocol::{
    raw::{RawParams, topic},
    scope::{Scope, Scopes},
};

use super::print::Printer;
use crate::{
    attach::{CallError, Client, ClientError},
    signals::{Signals, Wish},
};

/// The reason why a client with these `scopes` has nothing to watch.
pub fn blind(scopes: Scopes) -> String {
    let needed = Scope::Observe;
    format!("watching requires the scope `{needed}`; this connection has: {scopes}. Use a token with more scopes.")
}

/// Prints notifications until the connection or stdout is closed; with `thread` only those about this thread, including
/// its turns.
pub async fn run(client: &mut Client, thread: Option<&str>, printer: &mut Printer) -> Result<(), CallError> {
    let mut signals = Signals::install(Wish::Stop)?;
    if let Some(thread) = thread {
        // Notifications about turns are only sent to clients that have resumed the thread.
        let params = RawParams::from_members([("threadId", thread)]).map_err(ClientError::from)?;
        client.request("thread/resume", &params).await?;
    }
    loop {
        let text = tokio::select! {
            text = client.next() => text?,
            () = signals.stop() => return Ok(()),
            () = printer.unread() => return Ok(()),
        };
        let Some(topic) = topic(&text).map_err(ClientError::from)? else {
            continue;
        };
        if thread.is_none_or(|thread| topic.thread_id.as_deref() == Some(thread)) && printer.json(&text).await.is_err()
        {
            return Ok(());
        }
    }
}
