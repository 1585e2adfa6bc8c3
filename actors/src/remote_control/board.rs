//! The state that clients are shown: the latest counts, and who looks too late sees only that.

use tokio::sync::watch;

use crate::protocol::remote::{RemoteControlState, RemoteControlStatus, RemoteControlStatusReadResponse};

/// The state, and why it is `errored`.
pub struct Board(watch::Sender<RemoteControlStatusReadResponse>);

impl Board {
    /// Disabled.
    pub fn new(server_name: String, installation_id: String) -> Self {
        let state = RemoteControlState {
            status: RemoteControlStatus::Disabled,
            server_name,
            installation_id,
            environment_id: None,
        };
        Self(watch::Sender::new(RemoteControlStatusReadResponse { state, last_error: None }))
    }

    /// What it says.
    pub fn read(&self) -> RemoteControlStatusReadResponse {
        self.0.borrow().clone()
    }

    /// The same without reasons.
    pub fn state(&self) -> RemoteControlState {
        self.0.borrow().state.clone()
    }

    /// Tells of every change.
    pub fn watch(&self) -> watch::Receiver<RemoteControlStatusReadResponse> {
        self.0.subscribe()
    }

    /// Switched off.
    pub fn disabled(&self) {
        self.change(|shown| {
            shown.state.status = RemoteControlStatus::Disabled;
            shown.state.environment_id = None;
            shown.last_error = None;
        });
    }

    /// On the way.
    pub fn connecting(&self) {
        self.status(RemoteControlStatus::Connecting);
    }

    /// There.
    pub fn connected(&self) {
        self.status(RemoteControlStatus::Connected);
    }

    /// It did not work.
    pub fn errored(&self, reason: &str) {
        self.change(|shown| {
            shown.state.status = RemoteControlStatus::Errored;
            shown.last_error = Some(reason.to_owned());
        });
    }

    /// Which environment this host is, if it is known.
    pub fn environment(&self, id: Option<&str>) {
        self.change(|shown| shown.state.environment_id = id.map(str::to_owned));
    }

    fn status(&self, status: RemoteControlStatus) {
        self.change(|shown| {
            shown.state.status = status;
            shown.last_error = None;
        });
    }

    fn change(&self, change: impl FnOnce(&mut RemoteControlStatusReadResponse)) {
        self.0.send_if_modified(|shown| {
            let before = shown.clone();
            change(shown);
            *shown != before
        });
    }
}
