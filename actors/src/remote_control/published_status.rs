//! The status that clients are shown. Only the latest one matters; intermediate ones may be skipped.

use std::cell::RefCell;

use tokio::sync::watch;

use crate::protocol::remote::{RemoteControlState, RemoteControlStatus, RemoteControlStatusReadResponse};

/// The status, and the cause if it is `errored`.
pub struct PublishedStatus {
    shown: watch::Sender<RemoteControlStatusReadResponse>,
    /// The environment that was shown last. Its controllers may have streams even while remote control is disabled.
    last_environment: RefCell<Option<String>>,
}

impl PublishedStatus {
    /// Creates the disabled status.
    pub fn new(server_name: String, installation_id: String) -> Self {
        let state = RemoteControlState {
            status: RemoteControlStatus::Disabled,
            server_name,
            installation_id,
            environment_id: None,
        };
        let shown = watch::Sender::new(RemoteControlStatusReadResponse { state, last_error: None });
        Self { shown, last_environment: RefCell::default() }
    }

    /// The current status.
    pub fn read(&self) -> RemoteControlStatusReadResponse {
        self.shown.borrow().clone()
    }

    /// The current status without causes.
    pub fn state(&self) -> RemoteControlState {
        self.shown.borrow().state.clone()
    }

    /// A receiver of changes.
    pub fn watch(&self) -> watch::Receiver<RemoteControlStatusReadResponse> {
        self.shown.subscribe()
    }

    /// Remote control is disabled.
    pub fn disabled(&self) {
        self.change(|shown| {
            shown.state.status = RemoteControlStatus::Disabled;
            shown.state.environment_id = None;
            shown.last_error = None;
        });
    }

    /// The server is connecting.
    pub fn connecting(&self) {
        self.status(RemoteControlStatus::Connecting);
    }

    /// The server is connected.
    pub fn connected(&self) {
        self.status(RemoteControlStatus::Connected);
    }

    /// An attempt has failed.
    pub fn errored(&self, reason: &str) {
        self.change(|shown| {
            shown.state.status = RemoteControlStatus::Errored;
            shown.last_error = Some(reason.to_owned());
        });
    }

    /// Sets the environment of this host.
    pub fn environment(&self, id: Option<&str>) {
        self.change(|shown| shown.state.environment_id = id.map(str::to_owned));
        if let Some(id) = id {
            self.last_environment.replace(Some(id.to_owned()));
        }
    }

    /// Whether open streams may be those of controllers of this environment.
    pub fn may_be_of(&self, environment: &str) -> bool {
        self.last_environment.borrow().as_ref().is_none_or(|last| last == environment)
    }

    fn status(&self, status: RemoteControlStatus) {
        self.change(|shown| {
            shown.state.status = status;
            shown.last_error = None;
        });
    }

    fn change(&self, change: impl FnOnce(&mut RemoteControlStatusReadResponse)) {
        self.shown.send_if_modified(|shown| {
            let before = shown.clone();
            change(shown);
            *shown != before
        });
    }
}
