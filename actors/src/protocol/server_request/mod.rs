//! What the server asks its clients: the one table of server requests, each with its name, its params and its answer.

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
    FileChangeRequestApprovalResponse, NetworkPolicyAmendment, NetworkPolicyRuleAction,
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

/// May a command run?
pub static COMMAND_APPROVAL: ServerRequest<
    CommandExecutionRequestApprovalParams,
    CommandExecutionRequestApprovalResponse,
> = request("item/commandExecution/requestApproval");
/// May files be changed?
pub static FILE_CHANGE_APPROVAL: ServerRequest<FileChangeRequestApprovalParams, FileChangeRequestApprovalResponse> =
    request("item/fileChange/requestApproval");
/// May the agent do more than its sandbox allows, for a while?
pub static PERMISSIONS_APPROVAL: ServerRequest<PermissionsRequestApprovalParams, PermissionsRequestApprovalResponse> =
    request("item/permissions/requestApproval");
/// The agent's questions to the user.
pub static USER_INPUT: ServerRequest<ToolRequestUserInputParams, ToolRequestUserInputResponse> =
    request("item/tool/requestUserInput");
/// The questions of an MCP server to the user.
pub static MCP_ELICITATION: ServerRequest<McpServerElicitationRequestParams, McpServerElicitationRequestResponse> =
    request("mcpServer/elicitation/request");
/// The call of a tool that a client runs. Its end is told by its item alone.
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
    /// The name on the wire, by which metrics count.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the subscribers of the thread are told by `serverRequest/resolved` that no answer is needed any more.
    pub fn told_when_resolved(&self) -> bool {
        self.told_when_resolved
    }

    /// Reads what a client answered.
    ///
    /// # Errors
    /// The client refused, or its answer does not fit.
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

/// The types of a server request, behind one face for all rows of the table.
pub(super) trait ServerRequestRow: Sync {
    /// The name on the wire.
    fn name(&self) -> &'static str;

    /// What the server asks.
    fn params(&self, generator: &mut SchemaGenerator) -> Schema;

    /// What a client answers.
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
