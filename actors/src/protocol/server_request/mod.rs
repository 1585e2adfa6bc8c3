//! The table of server requests: name, params, answer.

mod answer;
mod approval;
mod permissions;
#[cfg(test)]
mod tests;
mod tools;

pub use answer::{ClientAnswer, Unanswered};
pub use approval::{
    CommandExecutionApprovalDecision, CommandExecutionApprovalKind, CommandExecutionRequestApprovalParams,
    CommandExecutionRequestApprovalResponse, FileChangeApprovalDecision, FileChangeRequestApprovalParams,
    FileChangeRequestApprovalResponse, NetworkPolicyAmendment, NetworkPolicyRuleAction, OUTSIDE_THE_SANDBOX,
};
pub use permissions::{
    AdditionalFileSystemPermissions, AdditionalNetworkPermissions, FileSystemAccessMode, FileSystemPath,
    FileSystemSandboxEntry, FileSystemSpecialPath, GrantedPermissionProfile, PermissionGrantScope,
    PermissionsRequestApprovalParams, PermissionsRequestApprovalResponse, RequestPermissionProfile,
};
pub use tools::{
    DynamicToolCallParams, DynamicToolCallResponse, McpElicitation, McpServerElicitationAction,
    McpServerElicitationRequestParams, McpServerElicitationRequestResponse, ToolRequestUserInputAnswer,
    ToolRequestUserInputOption, ToolRequestUserInputParams, ToolRequestUserInputQuestion, ToolRequestUserInputResponse,
};

use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

/// A request of the server with params `P`, which a client answers with `A`.
pub struct ServerRequest<P, A> {
    name: &'static str,
    told_when_resolved: bool,
    types: PhantomData<fn(P) -> A>,
}

/// Approval of a command.
pub static COMMAND_APPROVAL: ServerRequest<
    CommandExecutionRequestApprovalParams,
    CommandExecutionRequestApprovalResponse,
> = request("item/commandExecution/requestApproval");
/// Approval of changes to files.
pub static FILE_CHANGE_APPROVAL: ServerRequest<FileChangeRequestApprovalParams, FileChangeRequestApprovalResponse> =
    request("item/fileChange/requestApproval");
/// Approval of temporary permissions beyond the sandbox.
pub static PERMISSIONS_APPROVAL: ServerRequest<PermissionsRequestApprovalParams, PermissionsRequestApprovalResponse> =
    request("item/permissions/requestApproval");
/// Questions of the agent to the user.
pub static USER_INPUT: ServerRequest<ToolRequestUserInputParams, ToolRequestUserInputResponse> =
    request("item/tool/requestUserInput");
/// Questions of an MCP server to the user.
pub static MCP_ELICITATION: ServerRequest<McpServerElicitationRequestParams, McpServerElicitationRequestResponse> =
    request("mcpServer/elicitation/request");
/// A call of a client's tool. Only its item reports its end.
pub static DYNAMIC_TOOL_CALL: ServerRequest<DynamicToolCallParams, DynamicToolCallResponse> =
    ServerRequest { told_when_resolved: false, ..request("item/tool/call") };

/// Every request that this server sends.
pub(super) static SERVER_REQUESTS: &[&dyn ServerRequestRow] = &[
    &COMMAND_APPROVAL,
    &FILE_CHANGE_APPROVAL,
    &PERMISSIONS_APPROVAL,
    &USER_INPUT,
    &MCP_ELICITATION,
    &DYNAMIC_TOOL_CALL,
];

const fn request<P, A>(name: &'static str) -> ServerRequest<P, A> {
    ServerRequest { name, told_when_resolved: true, types: PhantomData }
}

impl<P, A> ServerRequest<P, A> {
    /// The name on the wire, also for metrics.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether `serverRequest/resolved` tells the subscribers of the thread that no answer is needed any more.
    pub fn told_when_resolved(&self) -> bool {
        self.told_when_resolved
    }

    /// Decodes a client's answer.
    ///
    /// # Errors
    /// The client answered with an error, or its answer does not fit.
    pub fn read(&self, answer: &ClientAnswer) -> Result<A, Unanswered>
    where
        A: DeserializeOwned,
    {
        answer.read(self.name)
    }
}

impl<P, A> fmt::Debug for ServerRequest<P, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The types of a server request, as a trait object for the rows of the table.
pub(super) trait ServerRequestRow: Sync {
    /// The name on the wire.
    fn name(&self) -> &'static str;

    /// Schema of the params.
    fn params(&self, generator: &mut SchemaGenerator) -> Schema;

    /// Schema of the answer.
    fn answer(&self, generator: &mut SchemaGenerator) -> Schema;
}

impl<P: JsonSchema, A: JsonSchema> ServerRequestRow for ServerRequest<P, A> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn params(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<P>()
    }

    fn answer(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<A>()
    }
}
