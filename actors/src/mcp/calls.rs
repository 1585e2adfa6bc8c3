//! The calls that a server works on, and what it says while it does: progress, and questions to the person.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::ClientHandler;
use rmcp::model::{
    ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability,
    ErrorData, FormElicitationCapability, Implementation, ProgressNotificationParam, ProgressToken, ProtocolVersion,
    UrlElicitationCapability,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::protocol::API_VERSION;
use crate::protocol::server_request::{
    McpElicitation, McpServerElicitationAction as Action, McpServerElicitationRequestResponse as Elicited,
};

/// Members of the schema of a form that clients know; they refuse others. A title there is decoration.
const FORM_MEMBERS: [&str; 4] = ["$schema", "type", "properties", "required"];

/// Bytes of a question that people are asked. A longer one is cancelled.
const QUESTION_BYTES: usize = 64 << 10;

/// Bytes of what a server says of its progress; the rest is left out.
const PROGRESS_BYTES: usize = 1024;

/// What a server says while it works on a call.
pub enum CallEvent {
    /// How far it is, in its own words.
    Progress(String),
    /// It asks the person. Dropping the sender cancels the question.
    Elicit {
        /// What it asks.
        request: Box<McpElicitation>,
        /// Takes the answer.
        answer: oneshot::Sender<Elicited>,
    },
}

/// The calls in progress, oldest first.
#[derive(Default)]
pub(super) struct Calls(Mutex<Table>);

#[derive(Default)]
struct Table {
    calls: BTreeMap<u64, OpenCall>,
    last: u64,
}

struct OpenCall {
    token: Option<ProgressToken>,
    events: mpsc::Sender<CallEvent>,
}

/// Keeps a call among those in progress.
pub(super) struct Open {
    calls: Arc<Calls>,
    number: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.calls.lock().calls.remove(&self.number);
    }
}

impl Calls {
    /// A call begins.
    pub(super) fn open(self: &Arc<Self>, events: mpsc::Sender<CallEvent>) -> Open {
        let mut table = self.lock();
        table.last += 1;
        let number = table.last;
        table.calls.insert(number, OpenCall { token: None, events });
        Open { calls: self.clone(), number }
    }

    /// How many are in progress.
    pub(super) fn len(&self) -> usize {
        self.lock().calls.len()
    }

    /// Tells the call with this token, unless it has not taken what was told before: then only the later words count.
    fn progress(&self, token: &ProgressToken, words: String) {
        let table = self.lock();
        if let Some(call) = table.calls.values().find(|call| call.token.as_ref() == Some(token)) {
            let _ = call.events.try_send(CallEvent::Progress(words));
        }
    }

    /// Asks the person through the newest call; a server does not say to which call its question belongs. Without a call
    /// nobody is there to answer.
    async fn elicit(&self, request: McpElicitation) -> Option<Elicited> {
        let (answer, answered) = oneshot::channel();
        let event = CallEvent::Elicit { request: Box::new(request), answer };
        let events = self.lock().calls.values().next_back().map(|call| call.events.clone())?;
        events.try_send(event).ok()?;
        answered.await.ok()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// The call is known to the server by this token.
    pub(super) fn name(&self, token: ProgressToken) {
        if let Some(call) = self.calls.lock().calls.get_mut(&self.number) {
            call.token = Some(token);
        }
    }
}

/// What the SDK is told of us, and hands what a server says by itself to.
pub(super) struct Ears {
    pub(super) calls: Arc<Calls>,
    /// The server has changed its list of tools.
    pub(super) changed: mpsc::Sender<()>,
}

impl ClientHandler for Ears {
    fn get_info(&self) -> ClientConfig {
        let elicitation = ElicitationCapability::new()
            .with_form(FormElicitationCapability::new())
            .with_url(UrlElicitationCapability::new());
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = Some(elicitation);
        // Servers know the reference program by this name.
        let mut config = ClientConfig::new(capabilities, Implementation::new("codex-mcp-client", API_VERSION));
        config.protocol_version = ProtocolVersion::LATEST_WITH_INITIALIZE;
        config
    }

    async fn on_progress(&self, progress: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let ProgressNotificationParam { progress_token, progress, total, message, .. } = progress;
        let mut words = message.unwrap_or_else(|| match total {
            Some(total) => format!("{progress} of {total}"),
            None => progress.to_string(),
        });
        words.truncate(words.floor_char_boundary(PROGRESS_BYTES));
        self.calls.progress(&progress_token, words);
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        // A full channel holds the same word.
        let _ = self.changed.try_send(());
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let elicited = match elicitation(request) {
            Some(request) => self.calls.elicit(request).await,
            None => None,
        };
        let Some(Elicited { action, content, .. }) = elicited else {
            return Ok(ElicitResult::new(ElicitationAction::Cancel));
        };
        Ok(match action {
            Action::Accept => ElicitResult::new(ElicitationAction::Accept)
                .with_content(content.unwrap_or_else(|| Value::Object(Default::default()))),
            Action::Decline => ElicitResult::new(ElicitationAction::Decline),
            Action::Cancel => ElicitResult::new(ElicitationAction::Cancel),
        })
    }
}

/// A question as clients are asked it; `None` for a kind that they do not know, and for one that is too long.
fn elicitation(request: ElicitRequestParams) -> Option<McpElicitation> {
    if serde_json::to_vec(&request).map_or(true, |json| json.len() > QUESTION_BYTES) {
        return None;
    }
    let value = |meta| serde_json::to_value(meta).ok().filter(|meta| !meta.is_null());
    match request {
        ElicitRequestParams::FormElicitationParams { meta, message, requested_schema } => {
            let mut schema = serde_json::to_value(requested_schema).ok()?;
            schema.as_object_mut()?.retain(|name, _| FORM_MEMBERS.contains(&name.as_str()));
            Some(McpElicitation::Form { meta: value(meta), message, requested_schema: schema })
        }
        ElicitRequestParams::UrlElicitationParams { meta, message, url, elicitation_id } => {
            Some(McpElicitation::Url { meta: value(meta), message, url, elicitation_id })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_with_a_title_is_asked_without_it() {
        let request = json!({
            "mode": "form", "message": "Who?",
            "requestedSchema": {"type": "object", "title": "T", "description": "D", "required": ["name"],
                "properties": {"name": {"type": "string", "title": "Name"}}}
        });
        let asked = elicitation(serde_json::from_value(request).unwrap());
        let Some(McpElicitation::Form { message, requested_schema, meta }) = asked else { panic!() };
        assert_eq!((message.as_str(), meta), ("Who?", None));
        let schema = json!({
            "type": "object", "required": ["name"], "properties": {"name": {"type": "string", "title": "Name"}}
        });
        assert_eq!(requested_schema, schema);
    }

    #[test]
    fn a_question_that_nobody_can_read_is_not_asked() {
        let request =
            |message: String| json!({"mode": "url", "message": message, "url": "http://h", "elicitationId": "e"});
        let asked = |bytes: usize| elicitation(serde_json::from_value(request("x".repeat(bytes))).unwrap());
        assert!(asked(100).is_some() && asked(QUESTION_BYTES).is_none());
    }

    #[actix_rt::test]
    async fn questions_go_to_the_newest_call_and_nowhere_without_one() {
        let calls = Arc::new(Calls::default());
        let ask = || McpElicitation::Url {
            meta: None,
            message: String::new(),
            url: String::new(),
            elicitation_id: String::new(),
        };
        assert_eq!(calls.elicit(ask()).await, None);
        let (first, mut first_events) = mpsc::channel(1);
        let (second, mut second_events) = mpsc::channel(1);
        let (_first, second) = (calls.open(first), calls.open(second));
        let answered = async {
            let Some(CallEvent::Elicit { answer, .. }) = second_events.recv().await else { panic!() };
            answer.send(Elicited { action: Action::Decline, content: None, meta: None }).unwrap();
        };
        let (elicited, ()) = futures_util::future::join(calls.elicit(ask()), answered).await;
        assert_eq!(elicited.unwrap().action, Action::Decline);
        drop(second);
        assert_eq!(calls.len(), 1);
        assert!(first_events.try_recv().is_err());
    }

    #[test]
    fn progress_reaches_its_call_and_never_waits() {
        let calls = Arc::new(Calls::default());
        let (events, mut received) = mpsc::channel(1);
        let open = calls.open(events);
        let token = |number: i64| ProgressToken(rmcp::model::NumberOrString::Number(number));
        open.name(token(7));
        calls.progress(&token(8), "not mine".to_owned());
        for _ in 0..3 {
            calls.progress(&token(7), "mine".to_owned());
        }
        assert!(matches!(received.try_recv(), Ok(CallEvent::Progress(words)) if words == "mine"));
        assert!(received.try_recv().is_err());
    }
}
