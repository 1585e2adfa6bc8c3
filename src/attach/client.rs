//! A client of a running server that sends one request at a time.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use app_server_actors::{
    limits::Limits,
    protocol::{
        ErrorCode, RequestId,
        calls::{Call, INITIALIZE},
        client::{Refused, ResultText, ServerMessage, answer_text, decode_server},
        initialize::{Capabilities, ClientInfo, InitializeParams, InitializeResponse},
        raw::{INITIALIZED, request_text},
    },
    wire::reader::Incoming,
};
use bytestring::ByteString;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf},
    time::{Instant, sleep},
};

use super::{AttachError, Endpoint, Messages, Sender, connect};

/// Number of attempts for a request that the server refuses with -32001.
const ATTEMPTS: u32 = 8;

/// Longest pause after the first refusal. It doubles with each further one, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How long a client waits for a server that may just be starting.
const STARTING: Duration = Duration::from_secs(1);

/// Pause between two attempts to connect in that time.
const BETWEEN_CONNECTS: Duration = Duration::from_millis(20);

/// Longest pause of all.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection could not be established.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The connection ended before the answer arrived.
    #[error("the server closed the connection")]
    Gone,
    /// The server answered with an error.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The answer does not fit the method.
    #[error("the server's answer does not fit the method: {0}")]
    Json(#[from] serde_json::Error),
}

impl ClientError {
    /// Whether the same server, or the one after it, may be reached a little later.
    pub fn may_come_back(&self) -> bool {
        match self {
            Self::Gone => true,
            Self::Attach(error) => error.may_come_back(),
            Self::Refused(_) | Self::Json(_) => false,
        }
    }
}

/// An initialized connection.
pub struct Client {
    wire: Wire,
    last_id: i64,
}

enum Wire {
    /// To another process.
    WebSocket(Box<(Sender, Messages)>),
    /// To a server in this process: one message per line.
    Lines(WriteHalf<DuplexStream>, Lines<BufReader<ReadHalf<DuplexStream>>>),
}

/// The capabilities of a client that takes everything.
pub fn everything() -> Capabilities {
    Capabilities { experimental_api: true, ..Capabilities::default() }
}

impl Client {
    /// Connects to `endpoint` and initializes the connection as `name`, with experimental methods. Returns the client
    /// and the server's answer to `initialize`. If nothing listens there, it waits a moment for a server that is just
    /// starting.
    ///
    /// # Errors
    /// There is no server, or it refuses this client.
    pub async fn connect(
        endpoint: &Endpoint,
        name: &str,
        limits: &Limits,
    ) -> Result<(Self, InitializeResponse), ClientError> {
        let deadline = Instant::now() + STARTING;
        loop {
            match Self::connect_now(endpoint, name, limits).await {
                Err(ClientError::Attach(AttachError::Unreachable { .. })) if Instant::now() < deadline => {
                    sleep(BETWEEN_CONNECTS).await;
                }
                connected => return connected,
            }
        }
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// There is no server, or it refuses this client.
    pub async fn connect_now(
        endpoint: &Endpoint,
        name: &str,
        limits: &Limits,
    ) -> Result<(Self, InitializeResponse), ClientError> {
        let wire = Wire::WebSocket(Box::new(connect(endpoint, limits).await?));
        Self { wire, last_id: 0 }.initialized(name, everything()).await
    }

    /// Connects over `stream` to a server in this process, one message per line, with these capabilities.
    ///
    /// # Errors
    /// The server refuses this client.
    pub async fn over(
        stream: DuplexStream,
        name: &str,
        capabilities: Capabilities,
    ) -> Result<(Self, InitializeResponse), ClientError> {
        let (reader, writer) = tokio::io::split(stream);
        let wire = Wire::Lines(writer, BufReader::new(reader).lines());
        Self { wire, last_id: 0 }.initialized(name, capabilities).await
    }

    async fn initialized(
        mut self,
        name: &str,
        capabilities: Capabilities,
    ) -> Result<(Self, InitializeResponse), ClientError> {
        let params = InitializeParams {
            client_info: ClientInfo { name: name.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            capabilities: Some(capabilities),
        };
        let server = self.call(&INITIALIZE, &params).await?;
        self.send(ByteString::from_static(INITIALIZED)).await?;
        Ok((self, server))
    }

    /// Calls a method with typed params and result.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn call<P: Serialize, R: DeserializeOwned>(
        &mut self,
        call: &Call<P, R>,
        params: &P,
    ) -> Result<R, ClientError> {
        Ok(self.request(call.method(), params).await?.read()?)
    }

    /// Calls any method. If the server is overloaded, the request is repeated after growing pauses.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn request(&mut self, method: &str, params: &impl Serialize) -> Result<ResultText, ClientError> {
        let mut attempt = 1;
        loop {
            match self.request_once(method, params).await {
                Err(ClientError::Refused(refused))
                    if refused.code == ErrorCode::Overloaded.number() && attempt < ATTEMPTS =>
                {
                    log::info!("the server is overloaded; retrying (attempt {attempt} of {ATTEMPTS})");
                    tokio::time::sleep(pause(attempt, RandomState::new().hash_one(attempt))).await;
                    attempt += 1;
                }
                answered => return answered,
            }
        }
    }

    /// Sends a request without waiting for its answer, which [`Self::next`] will return. Returns the id.
    ///
    /// # Errors
    /// The connection has ended.
    pub async fn begin(&mut self, method: &str, params: &impl Serialize) -> Result<i64, ClientError> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(request_text(id, method, params)?.into()).await?;
        Ok(id)
    }

    /// Answers the server's request `id`.
    ///
    /// # Errors
    /// The connection has ended.
    pub async fn answer(&mut self, id: &RequestId, result: &impl Serialize) -> Result<(), ClientError> {
        self.send(answer_text(id, result)?.into()).await
    }

    async fn request_once(&mut self, method: &str, params: &impl Serialize) -> Result<ResultText, ClientError> {
        let id = self.begin(method, params).await?;
        loop {
            let text = self.next().await?;
            if let ServerMessage::Answer { id: Some(RequestId::Integer(answered)), outcome } = decode_server(&text)?
                && answered == id
            {
                return Ok(outcome?);
            }
        }
    }

    /// The next message from the server, as JSON text.
    ///
    /// # Errors
    /// The connection has ended.
    pub async fn next(&mut self) -> Result<ByteString, ClientError> {
        match &mut self.wire {
            Wire::Lines(_, lines) => match lines.next_line().await {
                Ok(Some(line)) => Ok(line.into()),
                Ok(None) | Err(_) => Err(ClientError::Gone),
            },
            Wire::WebSocket(socket) => loop {
                let (sender, messages) = &mut **socket;
                match messages.next().await {
                    Some(Incoming::Text(text)) => return Ok(text),
                    Some(Incoming::Ping(payload)) => sender.pong(payload).await.map_err(|_| ClientError::Gone)?,
                    _ => return Err(ClientError::Gone),
                }
            },
        }
    }

    /// Closes the connection.
    pub async fn close(mut self) {
        if let Wire::WebSocket(socket) = &mut self.wire {
            // If the server is gone, nothing needs to be closed.
            let _ = socket.0.close().await;
        }
    }

    async fn send(&mut self, text: ByteString) -> Result<(), ClientError> {
        let sent = match &mut self.wire {
            Wire::WebSocket(socket) => socket.0.text(text).await,
            Wire::Lines(writer, _) => writer.write_all(format!("{text}\n").as_bytes()).await,
        };
        sent.map_err(|_| ClientError::Gone)
    }
}

/// The pause after refusal number `attempt`: a random duration below a bound that doubles each time, so that clients
/// that were refused together do not return together. `chance` is any number.
fn pause(attempt: u32, chance: u64) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST_PAUSE);
    longest.mul_f64(chance as f64 / u64::MAX as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_are_spread() {
        let longest: Vec<u128> = (1..ATTEMPTS).map(|attempt| pause(attempt, u64::MAX).as_millis()).collect();
        assert_eq!(longest, [100, 200, 400, 800, 1600, 3200, 5000]);
        assert_eq!(pause(3, 0), Duration::ZERO);
        assert_eq!(pause(3, u64::MAX / 2).as_millis(), 200);
    }
}
