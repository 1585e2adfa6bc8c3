//! Prints the notifications of a server as they arrive.

use std::time::Duration;

use app_server_actors::{
    limits::Limits,
    protocol::{
        client::{ServerMessage, decode_server},
        raw::{RawParams, topic},
        scope::{Scope, Scopes},
    },
};
use tokio::time::sleep;

use super::{NAME, print::Printer};
use crate::{
    attach::{CallError, Client, ClientError, Endpoint},
    logging,
    signals::{Signals, Wish},
};

/// Pause before the next attempt to connect again.
const PAUSE: Duration = Duration::from_millis(500);

/// The reason why a client with these `scopes` has nothing to watch.
fn blind(scopes: Scopes) -> String {
    let needed = Scope::Observe;
    format!("watching requires the scope `{needed}`; this connection has: {scopes}. Use a token with more scopes.")
}

/// Prints notifications until the connection or stdout is closed; with `thread` only those about this thread, including
/// its turns. With `reconnect` it connects again when the server has ended.
pub async fn run(
    endpoint: &Endpoint,
    limits: &Limits,
    thread: Option<&str>,
    reconnect: bool,
    mut printer: Printer,
) -> Result<(), CallError> {
    let mut signals = Signals::install(Wish::Stop)?;
    let mut is_lost = false;
    loop {
        let watched = async {
            let (mut client, server) = Client::connect(endpoint, NAME, limits).await?;
            if !server.scopes.include(Scope::Observe) {
                return Err(CallError::Unsuccessful(blind(server.scopes)));
            }
            if std::mem::take(&mut is_lost) {
                note("connected again");
            }
            watch(&mut client, thread, &mut printer).await
        };
        let ended = tokio::select! {
            ended = watched => ended,
            () = signals.stop() => return Ok(()),
        };
        match ended {
            Err(CallError::Client(error)) if reconnect && error.may_come_back() => {
                if !std::mem::replace(&mut is_lost, true) {
                    note(&format!("{}; connecting again", error.to_string().lines().next().unwrap_or_default()));
                }
            }
            ended => return ended,
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = signals.stop() => return Ok(()),
            () = printer.unread() => return Ok(()),
        }
    }
}

fn note(text: &str) {
    logging::say(text, &format!("{text}\n"));
}

async fn watch(client: &mut Client, thread: Option<&str>, printer: &mut Printer) -> Result<(), CallError> {
    // Notifications about turns are only sent to clients that have resumed the thread. They may come before the answer.
    let resuming = match thread {
        Some(thread) => {
            let params = RawParams::from_texts([("threadId", thread)]).map_err(ClientError::from)?;
            Some(client.begin("thread/resume", &params).await?)
        }
        None => None,
    };
    loop {
        let text = tokio::select! {
            text = client.next() => text?,
            () = printer.unread() => return Ok(()),
        };
        let Some(topic) = topic(&text).map_err(ClientError::from)? else {
            if let ServerMessage::Answer { outcome: Err(refused), .. } =
                decode_server(&text).map_err(ClientError::from)?
                && resuming.is_some()
            {
                return Err(ClientError::from(refused).into());
            }
            continue;
        };
        if thread.is_none_or(|thread| topic.thread_id.as_deref() == Some(thread)) {
            printer.json(&text).await?;
        }
    }
}
