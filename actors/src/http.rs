//! HTTP requests to other servers, with bounds on time and size.
//!
//! awc's client belongs to one arbiter, so each actor that makes requests owns an [`Http`].

use std::cell::OnceCell;
use std::time::Duration;

use awc::error::{PayloadError, SendRequestError};
use awc::http::header::{HeaderMap, HeaderValue};
use awc::http::{Method, StatusCode};
use awc::{Client, ClientRequest};
use bytes::Bytes;
use tokio::time::timeout;
use url::Url;

use crate::network::Network;
use crate::protocol::Secret;

/// The bounds of an [`Http`] client.
#[derive(Clone, Copy, Debug)]
pub struct HttpBounds {
    /// Maximum time to establish a connection, including TLS.
    pub connect: Duration,
    /// Maximum time of an [`Http::exchange`], from the first byte sent to the last byte received.
    pub exchange: Duration,
    /// Largest body of an [`Http::exchange`], in bytes.
    pub response_bytes: usize,
}

/// An HTTP/1.1 client without redirects: a token must not be sent wherever an answer points to.
pub struct Http {
    network: Network,
    bounds: HttpBounds,
    /// Created on first use, because most servers never make a request.
    client: OnceCell<Client>,
}

/// A complete answer of any status.
#[derive(Debug)]
pub struct HttpResponse {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// Why there is no answer. The text contains no header and no body.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// [`HttpBounds::exchange`] has passed.
    #[error("no complete answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The request could not be sent, or no answer came.
    #[error("{0}")]
    Unsent(#[from] SendRequestError),
    /// The answer ended early, or is larger than [`HttpBounds::response_bytes`].
    #[error("the answer could not be read: {0}")]
    Unread(#[from] PayloadError),
}

impl Http {
    /// Creates a client; nothing is connected yet.
    pub fn new(network: &Network, bounds: HttpBounds) -> Self {
        Self { network: network.clone(), bounds, client: OnceCell::new() }
    }

    /// Begins a request, for [`Self::exchange`], or for awc's own methods where the answer is a stream. Only connecting
    /// is bounded in time for the latter.
    pub fn request(&self, method: Method, url: &Url) -> ClientRequest {
        let client = self.client.get_or_init(|| {
            Client::builder()
                .connector(self.network.connector(self.bounds.connect))
                .disable_timeout()
                .disable_redirects()
                .no_default_headers()
                .finish()
        });
        client.request(method, url.as_str()).no_decompress()
    }

    /// Sends `request` with `body`, and receives the whole answer.
    ///
    /// # Errors
    /// See [`HttpError`]. An answer with an error status is a response, not an error.
    pub async fn exchange(&self, request: ClientRequest, body: Option<Vec<u8>>) -> Result<HttpResponse, HttpError> {
        let exchange = async {
            let sent = match body {
                Some(body) => request.send_body(body),
                None => request.send(),
            };
            let mut response = sent.await?;
            let body = response.body().limit(self.bounds.response_bytes).await?;
            Ok(HttpResponse { status: response.status(), headers: response.headers().clone(), body })
        };
        timeout(self.bounds.exchange, exchange).await.unwrap_or(Err(HttpError::TimedOut(self.bounds.exchange)))
    }
}

impl HttpResponse {
    /// The value of a header, if it is present and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An `Authorization` header whose value Debug does not show. `None` if the token does not fit into a header.
pub fn bearer(token: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}
