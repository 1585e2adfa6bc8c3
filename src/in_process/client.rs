//! A typed client over a stream of JSON lines.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use app_server_actors::protocol::{
    RequestId, ServerNotification,
    calls::Call,
    client::{Refused, ResultText, ServerMessage, decode_server, request_line},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, ReadHalf, WriteHalf},
    sync::{Mutex as AsyncMutex, mpsc, oneshot},
};

/// Unread notifications above which a client is disconnected.
const UNREAD_NOTIFICATIONS: usize = 1024;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server answered with an error.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The connection has ended.
    #[error("the connection to the server has ended")]
    Closed,
    /// The params cannot be encoded, or the result does not fit the method.
    #[error("the call does not fit its method: {0}")]
    Json(#[from] serde_json::Error),
}

/// A client of an [`super::InProcessServer`]. Calls may run concurrently. Dropping it closes the connection.
pub struct Client {
    writer: AsyncMutex<WriteHalf<DuplexStream>>,
    waiting: Waiting,
    last_id: AtomicI64,
    /// Dropped with the client, which ends the reading: the connection closes when both halves are dropped.
    _open: oneshot::Sender<Infallible>,
}

/// Pending calls by id; `None` once the connection has ended.
type Calls = Option<HashMap<i64, oneshot::Sender<Result<ResultText, Refused>>>>;

#[derive(Clone)]
struct Waiting(Arc<Mutex<Calls>>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Calls> {
        // A panic under the lock leaves a valid map.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// The client, its notifications, and the future that reads messages, which the caller must run.
    pub(super) fn over(
        stream: DuplexStream,
    ) -> (Self, mpsc::Receiver<ServerNotification>, impl Future<Output = ()> + Send + use<>) {
        let (reader, writer) = tokio::io::split(stream);
        let (news, unread) = mpsc::channel(UNREAD_NOTIFICATIONS);
        let waiting = Waiting(Arc::new(Mutex::new(Some(HashMap::new()))));
        let (open, closed) = oneshot::channel();
        let client =
            Self { writer: AsyncMutex::new(writer), waiting: waiting.clone(), last_id: AtomicI64::new(0), _open: open };
        let reading = async move {
            tokio::select! {
                () = read(reader, &waiting, news) => {}
                _ = closed => {}
            }
            *waiting.lock() = None;
        };
        (client, unread, reading)
    }

    /// Calls a method and waits for its result.
    ///
    /// # Errors
    /// See [`CallError`]. A call that is dropped while waiting may have been carried out.
    pub async fn call<P: Serialize, R: DeserializeOwned>(&self, call: &Call<P, R>, params: &P) -> Result<R, CallError> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let line = request_line(id, call, params)?;
        let (answered, answer) = oneshot::channel();
        self.waiting.lock().as_mut().ok_or(CallError::Closed)?.insert(id, answered);
        self.writer.lock().await.write_all(line.as_bytes()).await.map_err(|_| CallError::Closed)?;
        Ok(answer.await.map_err(|_| CallError::Closed)??.read()?)
    }
}

/// Reads until the connection ends.
async fn read(reader: ReadHalf<DuplexStream>, waiting: &Waiting, news: mpsc::Sender<ServerNotification>) {
    let mut lines = BufReader::new(reader).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match decode_server(&line) {
            Ok(ServerMessage::Answer { id: Some(RequestId::Integer(id)), outcome }) => {
                if let Some(answered) = waiting.lock().as_mut().and_then(|calls| calls.remove(&id)) {
                    // The caller may have given up.
                    let _ = answered.send(outcome);
                }
            }
            Ok(ServerMessage::Notification(notification)) => {
                if let Err(mpsc::error::TrySendError::Full(_)) = news.try_send(notification) {
                    log::warn!(
                        "an in-process client left {UNREAD_NOTIFICATIONS} notifications unread and is disconnected"
                    );
                    break;
                }
            }
            Ok(ServerMessage::Answer { .. } | ServerMessage::Request { .. } | ServerMessage::Unknown) => {}
            Err(error) => log::error!("the server sent an invalid message: {error}"),
        }
    }
}
