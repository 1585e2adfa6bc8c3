//! Everything that the server tells its clients, as it happens.

use app_server_actors::protocol::raw::{RawParams, topic};

use super::{CallError, print::Printer};
use crate::{
    attach::{Client, ClientError},
    signals::{Signals, Wish},
};

/// Shows the server's notifications until somebody ends it or nobody reads them any more; with `thread` only those
/// about this thread, its turns included.
pub async fn run(client: &mut Client, thread: Option<&str>, printer: &mut Printer) -> Result<(), CallError> {
    let mut signals = Signals::install(Wish::Stop)?;
    if let Some(thread) = thread {
        // Its turns are told only to those who have resumed it.
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
