//! A client of a running server that asks one thing after the other.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use app_server_actors::{
    connection::websocket::reader::Incoming,
    limits::Limits,
    protocol::{
        ErrorCode, RequestId,
        calls::{Call, INITIALIZE},
        client::{Refused, ResultText, ServerMessage, decode_server},
        initialize::{Capabilities, ClientInfo, InitializeParams, InitializeResponse},
        raw::{INITIALIZED, request_text},
    },
};
use bytestring::ByteString;
use serde::{Serialize, de::DeserializeOwned};

use super::{AttachError, Endpoint, Messages, Sender, connect};

/// How often a request is sent that the server has no room for, before its refusal is believed.
const ATTEMPTS: u32 = 8;

/// The longest pause after the first refusal; each further one may be twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no connection.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The connection ended before the answer came.
    #[error("the server closed the connection")]
    Gone,
    /// The server says no.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The server answered something that does not fit the method.
    #[error("the server's answer does not fit the method: {0}")]
    Json(#[from] serde_json::Error),
}

/// A connection after the handshake.
pub struct Client {
    sender: Sender,
    messages: Messages,
    last_id: i64,
}

impl Client {
    /// Connects to `endpoint` and shakes hands as `name`, with experimental methods: the client, and what the server
    /// says about itself.
    ///
    /// # Errors
    /// Nobody answers there, or the server does not let this client in.
    pub async fn connect(
        endpoint: &Endpoint,
        name: &str,
        limits: &Limits,
    ) -> Result<(Self, InitializeResponse), ClientError> {
        let (sender, messages) = connect(endpoint, limits).await?;
        let mut client = Self { sender, messages, last_id: 0 };
        let params = InitializeParams {
            client_info: ClientInfo { name: name.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            capabilities: Some(Capabilities { experimental_api: true, ..Capabilities::default() }),
        };
        let server = client.call(&INITIALIZE, &params).await?;
        client.send(ByteString::from_static(INITIALIZED)).await?;
        Ok((client, server))
    }

    /// Calls a method that this program knows.
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

    /// Calls any method. A server that has no room is asked again, each time after a longer pause.
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
                    log::info!("the server is overloaded, attempt {attempt} of {ATTEMPTS}");
                    tokio::time::sleep(pause(attempt, RandomState::new().hash_one(attempt))).await;
                    attempt += 1;
                }
                answered => return answered,
            }
        }
    }

    async fn request_once(&mut self, method: &str, params: &impl Serialize) -> Result<ResultText, ClientError> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(request_text(id, method, params)?.into()).await?;
        loop {
            let text = self.next().await?;
            if let ServerMessage::Answer { id: Some(RequestId::Integer(answered)), outcome } = decode_server(&text)?
                && answered == id
            {
                return Ok(outcome?);
            }
        }
    }

    /// The next message of the server, as JSON text.
    ///
    /// # Errors
    /// There are no more.
    pub async fn next(&mut self) -> Result<ByteString, ClientError> {
        loop {
            match self.messages.next().await {
                Some(Incoming::Text(text)) => return Ok(text),
                Some(Incoming::Ping(payload)) => self.sender.pong(payload).await.map_err(|_| ClientError::Gone)?,
                _ => return Err(ClientError::Gone),
            }
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        // A server that is gone needs none.
        let _ = self.sender.close().await;
    }

    async fn send(&mut self, text: ByteString) -> Result<(), ClientError> {
        self.sender.text(text).await.map_err(|_| ClientError::Gone)
    }
}

/// The pause after refusal number `attempt`: doubling, and by chance anything up to that, so that clients which were
/// refused together do not come back together. `chance` is any number.
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
