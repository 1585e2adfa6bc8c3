//! A request to a model until its answer is complete: attempts, and the waits between them.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep};

use super::call::{Call, Question, secrets};
use super::client::{Inner, ModelClient, ModelStream};
use super::credentials::Credential;
use super::echo::Echo;
use super::event::{ModelEvent, Retrying};
use super::failure::ModelFailure;
use super::provider::{Provider, WireApi};
use super::retry::{Next, Retries};
use crate::protocol::Secret;
use crate::protocol::model::{HistoryItem, ModelRequest, TokenUsage, chat, responses};

impl ModelClient {
    /// Sends a request to a model. Nothing happens before the stream is polled; dropping it cancels the request at
    /// once.
    ///
    /// Temporary failures are retried internally as long as no call of a tool was reported: see
    /// [`ModelEvent::Retrying`]. After such a call, a failure ends the stream with [`ModelEvent::Completed`], so that
    /// the tool is not called twice; its output is part of the next request.
    pub fn ask(&self, provider: Arc<Provider>, request: ModelRequest) -> ModelStream {
        let asking = Asking::new(Rc::clone(&self.0), provider, request);
        futures_util::stream::unfold(asking, |mut asking| async move { Some((asking.next().await?, asking)) })
            .boxed_local()
    }
}

/// A request in progress.
struct Asking {
    inner: Rc<Inner>,
    provider: Arc<Provider>,
    request: ModelRequest,
    /// The same for every attempt.
    body: Option<Bytes>,
    /// The last credentials.
    credential: Option<Credential>,
    /// Secrets that no failure may contain.
    secrets: Vec<Secret>,
    attempt: Option<Attempt>,
    retries: Retries,
    first_failure: Option<Instant>,
    wait: Option<Duration>,
    /// Events to report next.
    events: VecDeque<ModelEvent>,
    /// Number of items of all attempts so far.
    next_item: u32,
    told: Told,
    end: Option<Option<ModelFailure>>,
}

enum Attempt {
    Call(Box<Call>),
    Echo(Echo),
}

/// What this attempt has reported.
#[derive(Default)]
struct Told {
    /// A call of a tool, which must happen only once.
    a_call: bool,
    costs: bool,
    bytes: usize,
}

impl Asking {
    fn new(inner: Rc<Inner>, provider: Arc<Provider>, request: ModelRequest) -> Self {
        let retries = Retries::new(&inner.settings);
        Self {
            inner,
            provider,
            request,
            body: None,
            credential: None,
            secrets: Vec::new(),
            attempt: None,
            retries,
            first_failure: None,
            wait: None,
            events: VecDeque::new(),
            next_item: 0,
            told: Told::default(),
            end: None,
        }
    }

    async fn next(&mut self) -> Option<Result<ModelEvent, ModelFailure>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(Ok(event));
            }
            if let Some(end) = &mut self.end {
                return end.take().map(Err);
            }
            if let Some(wait) = self.wait.take() {
                sleep(wait).await;
            }
            let begun = self.attempt.is_some();
            if let Err(failure) = self.advance().await {
                self.attempt = None;
                self.fail(failure, begun).await;
            }
        }
    }

    /// Starts an attempt, or waits for its next events.
    async fn advance(&mut self) -> Result<(), ModelFailure> {
        let mut out = Vec::new();
        let read = match &mut self.attempt {
            None => {
                self.attempt = Some(self.begin().await?);
                self.told = Told::default();
                self.events.push_back(ModelEvent::Started);
                return Ok(());
            }
            Some(Attempt::Call(call)) => {
                let read = call.more(&self.inner, &self.provider, &mut out).await;
                self.next_item = call.next_item();
                read
            }
            Some(Attempt::Echo(echo)) => {
                let read = echo.more(&mut out).await;
                self.next_item = echo.next_item();
                read
            }
        };
        for event in out {
            self.told.note(&event);
            if matches!(event, ModelEvent::Completed) && !self.told.costs {
                self.events.push_back(ModelEvent::Usage(self.estimate()));
            }
            self.events.push_back(event);
        }
        if read? {
            self.attempt = None;
            self.end = Some(None);
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<Attempt, ModelFailure> {
        if self.provider.wire_api == WireApi::Echo {
            return Ok(Attempt::Echo(Echo::new(&self.provider, &self.request, self.next_item)));
        }
        if self.credential.is_none() {
            self.credential = self.inner.credential(&self.provider).await?;
        }
        let credential = self.credential.as_ref();
        self.secrets = secrets(&self.inner, &self.provider, credential);
        let body = body(&mut self.body, &self.provider, &self.request)?;
        let question = Question {
            body,
            thread_id: &self.request.thread_id,
            trace: self.request.trace.as_deref(),
            first_item: self.next_item,
        };
        let mut limits = Vec::new();
        let begun = Call::begin(&self.inner, &self.provider, credential, question, &mut limits).await;
        if let Some(credential) = credential {
            self.inner.credentials.saw_limits(credential, &limits);
        }
        self.events.extend(limits.into_iter().map(|limit| ModelEvent::RateLimit(Box::new(limit))));
        begun.map(|call| Attempt::Call(Box::new(call)))
    }

    /// Handles a failed attempt.
    async fn fail(&mut self, failure: ModelFailure, begun: bool) {
        let since = self.first_failure.get_or_insert_with(Instant::now).elapsed();
        let random = (self.inner.random)();
        let failure = failure.redacted(&self.secrets);
        match self.retries.next(&failure, &self.provider, begun, since, random) {
            Next::Fail => self.end = Some(Some(failure)),
            // The next request contains the call and its output, which serves as the retry.
            _ if self.told.a_call => {
                log::info!("an answer broke off after a call of a tool: {failure}");
                if !self.told.costs {
                    self.events.push_back(ModelEvent::Usage(self.estimate()));
                }
                self.events.push_back(ModelEvent::Completed);
                self.end = Some(None);
            }
            Next::Renew => {
                if let Err(reason) = self.renew().await {
                    log::info!("there are no other credentials for {}: {reason}", self.provider.display_name());
                    self.end = Some(Some(failure));
                }
            }
            Next::Retry { attempt, of, after } => {
                let failure = failure.while_retried(attempt, of);
                self.events.push_back(ModelEvent::Retrying(Retrying { attempt, of, after, failure }));
                self.wait = Some(after);
            }
        }
    }

    async fn renew(&mut self) -> Result<(), String> {
        let refused = self.credential.take().filter(|_| self.provider.uses_sign_in());
        let refused = refused.ok_or("its key is in the configuration")?;
        self.credential = Some(self.inner.credentials.renew(refused).await?);
        Ok(())
    }

    fn estimate(&self) -> TokenUsage {
        let said = |item: &HistoryItem| item.said().len();
        let asked = self.body.as_ref().map(Bytes::len);
        let asked = asked.unwrap_or_else(|| self.request.input.iter().map(said).sum());
        TokenUsage::estimated(asked, self.told.bytes)
    }
}

impl Told {
    fn note(&mut self, event: &ModelEvent) {
        match event {
            ModelEvent::TextDelta { delta, .. }
            | ModelEvent::ReasoningSummaryDelta { delta, .. }
            | ModelEvent::ReasoningDelta { delta, .. } => self.bytes += delta.len(),
            ModelEvent::ItemDone { entry: HistoryItem::FunctionCall { arguments, .. }, .. } => {
                self.a_call = true;
                self.bytes += arguments.len();
            }
            ModelEvent::Usage(_) => self.costs = true,
            _ => {}
        }
    }
}

/// The body of the request, which is encoded once.
fn body(known: &mut Option<Bytes>, provider: &Provider, request: &ModelRequest) -> Result<Bytes, ModelFailure> {
    if let Some(body) = known {
        return Ok(body.clone());
    }
    let written = match provider.wire_api {
        WireApi::Chat => chat::body(request, &provider.dialect),
        WireApi::Responses | WireApi::Echo => responses::body(request, &provider.dialect),
    };
    let written = written.map_err(|error| ModelFailure::unusable(format!("the request cannot be written: {error}")))?;
    Ok(known.insert(Bytes::from(written)).clone())
}
