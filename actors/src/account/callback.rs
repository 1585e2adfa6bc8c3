//! How a browser comes back from a sign-in. This package listens nowhere: the process hands in a function that does.

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::DropGuard;

use crate::protocol::Secret;

/// Where browsers come back to: the path below the address of a [`Callback`].
pub const CALLBACK_PATH: &str = "/auth/callback";

/// Opens an address on loopback for one sign-in; an error says why there is none, in words for the user.
pub type OpenCallback = Arc<dyn Fn() -> LocalBoxFuture<'static, Result<Callback, String>> + Send + Sync>;

/// An open address. It closes when this is dropped; visits that were answered by then are told the answer.
pub struct Callback {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The visits, at least one at a time. Visitors wait while it is full.
    pub visits: mpsc::Receiver<Visit>,
    /// Closes the address.
    pub open: DropGuard,
}

/// What a browser brings along.
pub struct Visit {
    /// What the issuer sent it with.
    pub brought: Brought,
    /// What the browser shows. If it is dropped, the sign-in is over.
    pub answer: oneshot::Sender<Page>,
}

/// What the issuer sent a browser with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Brought {
    /// Shows which sign-in the visit belongs to. Not for logs.
    pub state: Option<Secret>,
    /// What the user has granted.
    pub code: Option<Secret>,
    /// Why nothing was granted.
    pub refusal: Option<String>,
}

/// What a browser shows at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// The user is signed in.
    SignedIn,
    /// The user is not, for this reason.
    Failed(String),
    /// The visit belongs to no sign-in that waits here.
    Foreign,
}
