//! `command/exec` and its companions (reference schema: `CommandExec*`).

use std::collections::BTreeMap;
use std::fmt::Display;

use base64::DecodeError;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer, ser};
use serde_json::value::RawValue;

use super::optional::null_is_default;
use super::quoted::beginning;
use super::thread::SandboxPolicy;
use super::{ErrorCode, RpcError};

/// A request about commands.
#[derive(Debug)]
pub enum CommandRequest {
    /// `command/exec`
    Exec(Box<CommandExecParams>),
    /// `command/exec/write`
    Write(CommandExecWriteParams),
    /// `command/exec/resize`
    Resize(CommandExecResizeParams),
    /// `command/exec/terminate`
    Terminate(CommandExecTerminateParams),
}

/// Params of `command/exec`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandExecParams {
    /// Program and arguments; must not be empty.
    #[schemars(length(min = 1))]
    pub command: Vec<String>,
    /// The client's name for the command, unique per connection. Required for `tty` and streaming.
    pub process_id: Option<String>,
    /// Runs the command on a terminal, which implies `streamStdin` and `streamStdoutStderr`.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub tty: bool,
    /// Allows `command/exec/write`.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub stream_stdin: bool,
    /// Sends output as `command/exec/outputDelta` while the command runs, instead of in the result.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub stream_stdout_stderr: bool,
    /// Maximum number of bytes to return of each stream.
    pub output_bytes_cap: Option<u64>,
    /// Returns all output.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub disable_output_cap: bool,
    /// Runs without a time limit.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub disable_timeout: bool,
    /// Time limit in milliseconds.
    #[schemars(range(min = 0))]
    pub timeout_ms: Option<i64>,
    /// Working directory; a relative one is resolved against the server's.
    pub cwd: Option<String>,
    /// Changes to the server's environment; null removes a variable.
    pub env: Option<BTreeMap<String, Option<String>>>,
    /// Initial size of the terminal.
    pub size: Option<CommandExecTerminalSize>,
    /// Sandbox policy; default: the configured one.
    pub sandbox_policy: Option<SandboxPolicy>,
    /// Permission profile to use instead of `sandboxPolicy`.
    pub permission_profile: Option<String>,
}

impl CommandExecParams {
    /// Checks the combination of members.
    ///
    /// # Errors
    /// The codes and texts are the reference program's.
    pub fn check(&self) -> Result<(), RpcError> {
        let streams = self.tty || self.stream_stdin || self.stream_stdout_stderr;
        if self.command.is_empty() {
            return Err(RpcError::invalid_request("command must not be empty"));
        }
        if self.sandbox_policy.is_some() && self.permission_profile.is_some() {
            let text = "`permissionProfile` cannot be combined with `sandboxPolicy`";
            return Err(RpcError::invalid_request(text));
        }
        if streams && self.process_id.is_none() {
            let text = "command/exec tty or streaming requires a client-supplied processId";
            return Err(RpcError::invalid_request(text));
        }
        if self.size.is_some() && !self.tty {
            return Err(unfit("command/exec size requires tty: true"));
        }
        if self.disable_output_cap && self.output_bytes_cap.is_some() {
            return Err(unfit("command/exec cannot set both outputBytesCap and disableOutputCap"));
        }
        if self.disable_timeout && self.timeout_ms.is_some() {
            return Err(unfit("command/exec cannot set both timeoutMs and disableTimeout"));
        }
        if let Some(negative) = self.timeout_ms.filter(|ms| *ms < 0) {
            return Err(unfit(format_args!("command/exec timeoutMs must be non-negative, got {negative}")));
        }
        if let Some(SandboxPolicy::WorkspaceWrite { writable_roots, .. }) = &self.sandbox_policy
            && let Some(relative) = writable_roots.iter().find(|root| !root.starts_with('/'))
        {
            return Err(unfit(format_args!("Invalid request: writableRoots must be absolute paths, got `{relative}`")));
        }
        let bad_name = |name: &&String| name.is_empty() || name.contains(['=', '\0']);
        if let Some(name) = self.env.iter().flat_map(BTreeMap::keys).find(bad_name) {
            return Err(unfit(format_args!(
                "Invalid request: {:?} cannot be the name of an environment variable",
                beginning(name)
            )));
        }
        self.size.map_or(Ok(()), CommandExecTerminalSize::check)
    }
}

fn unfit(text: impl Display) -> RpcError {
    RpcError::new(ErrorCode::InvalidParams, text)
}

/// The size of a terminal in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct CommandExecTerminalSize {
    /// Number of rows; at least 1.
    #[schemars(range(min = 1))]
    pub rows: u16,
    /// Number of columns; at least 1.
    #[schemars(range(min = 1))]
    pub cols: u16,
}

impl CommandExecTerminalSize {
    /// Checks that neither number is 0.
    ///
    /// # Errors
    /// -32602; the text is the reference program's.
    pub fn check(self) -> Result<(), RpcError> {
        if self.rows > 0 && self.cols > 0 {
            return Ok(());
        }
        Err(unfit("command/exec size rows and cols must be greater than 0"))
    }
}

/// Params of `command/exec/write`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandExecWriteParams {
    /// The command.
    pub process_id: String,
    /// Bytes to write, in base64.
    pub delta_base64: Option<String>,
    /// Closes standard input after these bytes.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub close_stdin: bool,
}

impl CommandExecWriteParams {
    /// Decodes the bytes to write. They may end within a character.
    ///
    /// # Errors
    /// -32602; the texts are the reference program's.
    pub fn bytes(&self) -> Result<Vec<u8>, RpcError> {
        match &self.delta_base64 {
            Some(text) => BASE64_STANDARD
                .decode(text)
                .map_err(|error: DecodeError| unfit(format_args!("invalid deltaBase64: {error}"))),
            None if self.close_stdin => Ok(Vec::new()),
            None => Err(unfit("command/exec/write requires deltaBase64 or closeStdin")),
        }
    }
}

/// Params of `command/exec/resize`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandExecResizeParams {
    /// The command.
    pub process_id: String,
    /// New size of the terminal.
    pub size: CommandExecTerminalSize,
}

/// Params of `command/exec/terminate`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandExecTerminateParams {
    /// The command.
    pub process_id: String,
}

/// Result of `command/exec`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandExecResponse {
    /// Exit code; 128 + N after signal N, 124 after a timeout.
    pub exit_code: i32,
    /// Standard output; empty if it was streamed. Invalid UTF-8 is replaced.
    pub stdout: String,
    /// Standard error; empty if it was streamed. Invalid UTF-8 is replaced.
    pub stderr: String,
}

/// Params of the notification `command/exec/outputDelta`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CommandExecOutputDeltaNotification")]
pub struct CommandExecOutputDelta {
    /// The command.
    pub process_id: String,
    /// The stream.
    pub stream: CommandExecOutputStream,
    /// The output, in base64.
    #[serde(serialize_with = "verbatim")]
    pub delta_base64: String,
    /// Whether the output cap was reached: no more output of this stream follows.
    pub cap_reached: bool,
}

impl CommandExecOutputDelta {
    /// Creates the params for a piece of output.
    pub fn new(process_id: String, stream: CommandExecOutputStream, bytes: &[u8], cap_reached: bool) -> Self {
        Self { process_id, stream, delta_base64: BASE64_STANDARD.encode(bytes), cap_reached }
    }
}

/// Writes base64, which needs no escaping. Searching every character for escapes would cost more than all other
/// handling of a flood of output.
fn verbatim<S: Serializer>(base64: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let quoted = format!("\"{base64}\"");
    serde_json::from_str::<&RawValue>(&quoted).map_err(ser::Error::custom)?.serialize(serializer)
}

/// A stream of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CommandExecOutputStream {
    /// Standard output, or all output of a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(params: serde_json::Value) -> (i64, String) {
        let params: CommandExecParams = serde_json::from_value(params).unwrap();
        let error = params.check().unwrap_err();
        (error.code.number(), error.message)
    }

    #[test]
    fn members_that_contradict_each_other_are_refused_in_the_words_that_clients_know() {
        assert_eq!(refusal(json!({"command": []})), (-32600, "command must not be empty".into()));
        let (code, text) = refusal(json!({"command": ["a"], "timeoutMs": 1, "disableTimeout": true}));
        assert_eq!((code, text.as_str()), (-32602, "command/exec cannot set both timeoutMs and disableTimeout"));
        let (code, text) = refusal(json!({"command": ["a"], "timeoutMs": -5}));
        assert_eq!((code, text.as_str()), (-32602, "command/exec timeoutMs must be non-negative, got -5"));
        let (code, text) = refusal(json!({"command": ["a"], "tty": true}));
        assert_eq!(code, -32600);
        assert_eq!(text, "command/exec tty or streaming requires a client-supplied processId");
        let relative = json!({"type": "workspaceWrite", "writableRoots": ["a"]});
        assert_eq!(refusal(json!({"command": ["a"], "sandboxPolicy": relative})).0, -32602);
        assert_eq!(refusal(json!({"command": ["a"], "env": {"A=B": "1"}})).0, -32602);
    }

    #[test]
    fn null_is_absence() {
        let params = json!({
            "command": ["a"], "processId": null, "tty": null, "outputBytesCap": null, "env": null, "size": null
        });
        let params: CommandExecParams = serde_json::from_value(params).unwrap();
        assert!(params.check().is_ok() && !params.tty);
    }

    #[test]
    fn input_is_base64() {
        let write = |delta: Option<&str>, close_stdin| {
            CommandExecWriteParams { process_id: "p".into(), delta_base64: delta.map(str::to_owned), close_stdin }
                .bytes()
                .map_err(|error| error.message)
        };
        assert_eq!(write(Some("w6k="), false).unwrap(), "é".as_bytes());
        assert_eq!(write(None, true).unwrap(), b"");
        assert_eq!(write(Some("!!"), false).unwrap_err(), "invalid deltaBase64: Invalid symbol 33, offset 0.");
        assert_eq!(write(None, false).unwrap_err(), "command/exec/write requires deltaBase64 or closeStdin");
    }
}
