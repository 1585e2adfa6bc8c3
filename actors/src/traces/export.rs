//! Sends spans to the collector, a batch at a time. A collector that is slow or gone costs spans, and nobody waits for it.

use std::io;
use std::time::{Duration, Instant};

use actix_rt::Arbiter;
use awc::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use awc::http::{Method, Uri};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::encode::{Kept, body, context};
use super::{Span, TraceError, TraceSettings, Traces};
use crate::clock::Clock;
use crate::network::{Dialer, Network, Request};

/// The way to the exporter.
pub type Queue = mpsc::Sender<Kept>;

impl Traces {
    /// Sends spans to the endpoint in `settings`, if there is one, from a thread of its own.
    ///
    /// # Errors
    /// The endpoint is no URL.
    pub fn start(settings: &TraceSettings, network: &Network) -> Result<Self, TraceError> {
        if settings.endpoint.is_empty() {
            return Ok(Self::default());
        }
        let no_url = || TraceError::NoUrl(settings.endpoint.clone());
        let uri: Uri =
            format!("{}/v1/traces", settings.endpoint.trim_end_matches('/')).parse().map_err(|_| no_url())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(no_url());
        }
        let (queue, spans) = mpsc::channel(settings.queue_spans);
        let (settings, network) = (settings.clone(), network.clone());
        Arbiter::new().spawn_fn(move || {
            actix_rt::spawn(async move {
                let limit = settings.request_milliseconds.duration();
                let exporter = Exporter { uri, dialer: network.dialer(limit, 1), limit };
                exporter.run(spans, settings.batch_spans, settings.batch_milliseconds.duration()).await;
                Arbiter::current().stop();
            });
        });
        Ok(Self { queue: Some(queue) })
    }

    /// The header `traceparent` of what is asked during a turn, if spans are sent.
    pub fn context(&self, turn_id: &str) -> Option<String> {
        self.queue.as_ref().and_then(|_| context(turn_id))
    }

    /// Sends `span`, or drops it if too many wait.
    pub fn ended(&self, span: Span<'_>) {
        let Some(queue) = &self.queue else { return };
        let end = u128::from(Clock::system().unix_ms().unsigned_abs()) * 1_000_000;
        let Some(kept) = Kept::of(&span, fastrand::u64(1..), end, span.since.elapsed().as_nanos()) else { return };
        if queue.try_send(kept).is_err() {
            log::warn!("a span was dropped, because the collector of traces takes too long (traces.queue_spans)");
        }
    }
}

struct Exporter {
    uri: Uri,
    dialer: Dialer,
    limit: Duration,
}

impl Exporter {
    /// Until nobody sends any more.
    async fn run(&self, mut spans: mpsc::Receiver<Kept>, most: usize, wait: Duration) {
        let mut batch = Vec::new();
        while let Some(first) = spans.recv().await {
            batch.push(first);
            let due = Instant::now() + wait;
            while batch.len() < most {
                match timeout(due.saturating_duration_since(Instant::now()), spans.recv()).await {
                    Ok(Some(span)) => batch.push(span),
                    Ok(None) | Err(_) => break,
                }
            }
            let count = batch.len();
            if let Err(error) = self.send(std::mem::take(&mut batch)).await {
                log::warn!("{count} spans were lost: the collector of traces at {}: {error}", self.uri);
            }
        }
    }

    async fn send(&self, spans: Vec<Kept>) -> io::Result<()> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let request = Request { method: Method::POST, uri: self.uri.clone(), headers, body: body(spans).into() };
        let answer = timeout(self.limit, self.dialer.exchange(request)).await?;
        // Its text alone: the error belongs to this thread.
        let answer = answer.map_err(|error| io::Error::other(error.to_string()))?;
        if answer.status.is_success() { Ok(()) } else { Err(io::Error::other(format!("answered {}", answer.status))) }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::limits::Milliseconds;

    fn settings(endpoint: String) -> TraceSettings {
        let long = Milliseconds(60_000);
        let short = Milliseconds(10);
        TraceSettings {
            endpoint,
            queue_spans: 8,
            batch_spans: 2,
            batch_milliseconds: short,
            request_milliseconds: long,
        }
    }

    #[actix_rt::test]
    async fn spans_reach_the_collector() {
        let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/", collector.local_addr().unwrap());
        let traces = Traces::start(&settings(endpoint), &Network::direct()).unwrap();
        let turn_id = "01a22a65-105b-75ea-82a3-dd53ffea46d6";
        traces.ended(Span {
            turn_id,
            name: "tool",
            since: Instant::now(),
            failed: false,
            attributes: &[("tool", "t")],
        });
        let (mut socket, _) = collector.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.windows(6).any(|it| it == b"\"tool\"") {
            assert!(socket.read_buf(&mut asked).await.unwrap() > 0, "{}", String::from_utf8_lossy(&asked));
        }
        let asked = String::from_utf8(asked).unwrap();
        assert!(asked.starts_with("POST /v1/traces HTTP/1.1\r\n") && asked.contains("application/json"), "{asked}");
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    }

    #[actix_rt::test]
    async fn an_endpoint_that_is_no_url_is_refused() {
        for endpoint in ["localhost:4318", "ftp://x", "http://"] {
            let refused = Traces::start(&settings(endpoint.to_owned()), &Network::direct());
            assert!(matches!(refused, Err(TraceError::NoUrl(_))), "{endpoint}");
        }
    }
}
