//! Methods for Rust clients: each constant binds a method to the types of its params and its result.

use std::marker::PhantomData;

use super::diagnostics::ServerDiagnosticsResponse;
use super::initialize::{InitializeParams, InitializeResponse};
use super::remote::{
    PairingConfirmParams, PairingStartParams, PairingStartResponse, RemoteControlClientsListParams,
    RemoteControlClientsListResponse, RemoteControlClientsRevokeParams, RemoteControlEnableParams, RemoteControlState,
    RemoteControlStatusReadResponse,
};
use super::thread::{
    Empty, ThreadForkParams, ThreadForkResponse, ThreadIdParams, ThreadListParams, ThreadListResponse,
    ThreadLoadedListParams, ThreadLoadedListResponse, ThreadMetadataUpdateParams, ThreadMetadataUpdateResponse,
    ThreadNameSetParams, ThreadReadParams, ThreadReadResponse, ThreadResumeParams, ThreadResumeResponse,
    ThreadStartParams, ThreadStartResponse, ThreadUnarchiveResponse, ThreadUnsubscribeResponse,
};
use super::turn::TurnInterruptParams;

/// A method with params `P` and result `R`.
#[derive(Debug)]
pub struct Call<P, R> {
    method: &'static str,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Call<P, R> {
    const fn new(method: &'static str) -> Self {
        Self { method, types: PhantomData }
    }

    /// The name on the wire.
    pub fn method(&self) -> &'static str {
        self.method
    }
}

/// `initialize`
pub const INITIALIZE: Call<InitializeParams, InitializeResponse> = Call::new("initialize");
/// `server/diagnostics`
pub const SERVER_DIAGNOSTICS: Call<(), ServerDiagnosticsResponse> = Call::new("server/diagnostics");
/// `thread/start`
pub const THREAD_START: Call<ThreadStartParams, ThreadStartResponse> = Call::new("thread/start");
/// `thread/resume`
pub const THREAD_RESUME: Call<ThreadResumeParams, ThreadResumeResponse> = Call::new("thread/resume");
/// `thread/fork`
pub const THREAD_FORK: Call<ThreadForkParams, ThreadForkResponse> = Call::new("thread/fork");
/// `thread/read`
pub const THREAD_READ: Call<ThreadReadParams, ThreadReadResponse> = Call::new("thread/read");
/// `thread/list`
pub const THREAD_LIST: Call<ThreadListParams, ThreadListResponse> = Call::new("thread/list");
/// `thread/loaded/list`
pub const THREAD_LOADED_LIST: Call<ThreadLoadedListParams, ThreadLoadedListResponse> = Call::new("thread/loaded/list");
/// `thread/name/set`
pub const THREAD_NAME_SET: Call<ThreadNameSetParams, Empty> = Call::new("thread/name/set");
/// `thread/metadata/update`
pub const THREAD_METADATA_UPDATE: Call<ThreadMetadataUpdateParams, ThreadMetadataUpdateResponse> =
    Call::new("thread/metadata/update");
/// `thread/archive`
pub const THREAD_ARCHIVE: Call<ThreadIdParams, Empty> = Call::new("thread/archive");
/// `thread/unarchive`
pub const THREAD_UNARCHIVE: Call<ThreadIdParams, ThreadUnarchiveResponse> = Call::new("thread/unarchive");
/// `thread/delete`
pub const THREAD_DELETE: Call<ThreadIdParams, Empty> = Call::new("thread/delete");
/// `thread/unsubscribe`
pub const THREAD_UNSUBSCRIBE: Call<ThreadIdParams, ThreadUnsubscribeResponse> = Call::new("thread/unsubscribe");
/// `turn/interrupt`
pub const TURN_INTERRUPT: Call<TurnInterruptParams, Empty> = Call::new("turn/interrupt");
/// `remoteControl/enable`
pub const REMOTE_CONTROL_ENABLE: Call<RemoteControlEnableParams, RemoteControlState> =
    Call::new("remoteControl/enable");
/// `remoteControl/disable`
pub const REMOTE_CONTROL_DISABLE: Call<RemoteControlEnableParams, RemoteControlState> =
    Call::new("remoteControl/disable");
/// `remoteControl/status/read`
pub const REMOTE_CONTROL_STATUS_READ: Call<(), RemoteControlStatusReadResponse> =
    Call::new("remoteControl/status/read");
/// `remoteControl/client/list`
pub const REMOTE_CONTROL_CLIENT_LIST: Call<RemoteControlClientsListParams, RemoteControlClientsListResponse> =
    Call::new("remoteControl/client/list");
/// `remoteControl/client/revoke`
pub const REMOTE_CONTROL_CLIENT_REVOKE: Call<RemoteControlClientsRevokeParams, Empty> =
    Call::new("remoteControl/client/revoke");
/// `remoteControl/pairing/start`
pub const REMOTE_CONTROL_PAIRING_START: Call<PairingStartParams, PairingStartResponse> =
    Call::new("remoteControl/pairing/start");
/// `remoteControl/pairing/confirm`
pub const REMOTE_CONTROL_PAIRING_CONFIRM: Call<PairingConfirmParams, Empty> =
    Call::new("remoteControl/pairing/confirm");

#[cfg(test)]
mod tests {
    use super::super::Method;
    use super::*;

    #[test]
    fn every_call_is_a_method_of_the_table() {
        let called = [
            INITIALIZE.method,
            SERVER_DIAGNOSTICS.method,
            THREAD_START.method,
            THREAD_RESUME.method,
            THREAD_FORK.method,
            THREAD_READ.method,
            THREAD_LIST.method,
            THREAD_LOADED_LIST.method,
            THREAD_NAME_SET.method,
            THREAD_METADATA_UPDATE.method,
            THREAD_ARCHIVE.method,
            THREAD_UNARCHIVE.method,
            THREAD_DELETE.method,
            THREAD_UNSUBSCRIBE.method,
            REMOTE_CONTROL_ENABLE.method,
            REMOTE_CONTROL_DISABLE.method,
            REMOTE_CONTROL_STATUS_READ.method,
            REMOTE_CONTROL_CLIENT_LIST.method,
            REMOTE_CONTROL_CLIENT_REVOKE.method,
            REMOTE_CONTROL_PAIRING_START.method,
            REMOTE_CONTROL_PAIRING_CONFIRM.method,
        ];
        for method in called {
            assert!(Method::find(method).is_some(), "{method}");
        }
    }
}
