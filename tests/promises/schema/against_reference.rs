//! Compares the published schema with the reference program's, where a checkout has it: everything that a client may
//! send according to the reference is accepted, and everything that we send is known to its readers.

use std::collections::BTreeSet;

use crate::support::compatible::{Comparison, Side};
use crate::support::schemas::{Schemas, folder};

/// Intended differences with their reasons. One that is no longer found fails the test, too.
const MEANT: &[(&str, &[&str])] = &[
    (
        "there it stands in a file of its own and not in the bundle",
        &[
            "ClientNotification: unknown",
            "FuzzyFileSearchResponse: unknown",
            "FuzzyFileSearchSessionStartResponse: unknown",
            "FuzzyFileSearchSessionStopResponse: unknown",
            "FuzzyFileSearchSessionUpdateResponse: unknown",
            "InitializeResponse: unknown",
            "JSONRPCError: unknown",
            "JSONRPCErrorError: unknown",
            "JSONRPCMessage: unknown",
            "JSONRPCNotification: unknown",
            "JSONRPCRequest: unknown",
            "JSONRPCResponse: unknown",
            "ServerRequest: unknown",
            // What clients answer.
            "CommandExecutionRequestApprovalResponse: unknown",
            "DynamicToolCallResponse: unknown",
            "FileChangeApprovalDecision: unknown",
            "FileChangeRequestApprovalResponse: unknown",
            "GrantedPermissionProfile: unknown",
            "McpServerElicitationAction: unknown",
            "McpServerElicitationRequestResponse: unknown",
            "PermissionGrantScope: unknown",
            "PermissionsRequestApprovalResponse: unknown",
            "ToolRequestUserInputAnswer: unknown",
            "ToolRequestUserInputResponse: unknown",
        ],
    ),
    ("an object without members is taken where there only null is", &["ConfigRequirementsReadParams: unknown"]),
    (
        "only null is taken there too; here that has a name",
        &["LogoutAccountParams: unknown", "McpServerRefreshParams: unknown", "RemoteControlStatusReadParams: unknown"],
    ),
    ("the reference program does not say why it is errored", &["RemoteControlStatusReadResponse.lastError: unknown"]),
    (
        "there the time that is left is judged by the clock of whoever reads it",
        &["RemoteControlPairingStartResponse.expiresInSeconds: unknown"],
    ),
    ("a relay of our own knows what a controller may do", &["RemoteControlPairingStartParams.scopes: unknown"]),
    (
        "shown as it stands in the file, where only what this server goes by is judged",
        &[
            "Config.analytics: anything",
            "Config.approval_policy: anything",
            "Config.apps: anything",
            "Config.browser_use: anything",
            "Config.client_search_provider: anything",
            "Config.compact_prompt: anything",
            "Config.computer_use: anything",
            "Config.desktop: anything",
            "Config.developer_instructions: anything",
            "Config.forced_chatgpt_workspace_id: anything",
            "Config.forced_login_method: anything",
            "Config.instructions: anything",
            "Config.model_auto_compact_token_limit: anything",
            "Config.model_auto_compact_token_limit_scope: anything",
            "Config.model_context_window: anything",
            "Config.model_reasoning_summary: anything",
            "Config.model_verbosity: anything",
            "Config.review_model: anything",
            "Config.sandbox_workspace_write: anything",
            "Config.tools: anything",
            "Config.web_search: anything",
        ],
    ),
    (
        "only this server tells of its build, its listeners and its clients",
        &[
            "DiagnosedConnection: unknown",
            "ServerDiagnosticsResponse.connections: unknown",
            "FailedUpgrade: unknown",
            "ServerDiagnosticsResponse.failedUpgrade: unknown",
            "ServerDiagnosticsResponse.listeners: unknown",
            "ServerDiagnosticsResponse.version: unknown",
        ],
    ),
    ("only this server lists names that are not UTF-8 as they are", &["FsReadDirectoryEntry.fileNameBase64: unknown"]),
    (
        "only this server takes paths that are not UTF-8 as they are",
        &[
            "FsCopyParams.destinationPathBase64: unknown",
            "FsCopyParams.sourcePathBase64: unknown",
            "FsCreateDirectoryParams.pathBase64: unknown",
            "FsGetMetadataParams.pathBase64: unknown",
            "FsReadDirectoryParams.pathBase64: unknown",
            "FsReadFileParams.pathBase64: unknown",
            "FsRemoveParams.pathBase64: unknown",
            "FsWriteFileParams.pathBase64: unknown",
        ],
    ),
    ("only this server has scopes", &["Scope: unknown"]),
    (
        "only this server encrypts end to end, and has a person compare words",
        &[
            "RemoteControlPairingConfirmParams: unknown",
            "RemoteControlPairingConfirmResponse: unknown",
            "RemoteControlPairingDevice: unknown",
            "RemoteControlPairingDeviceState: unknown",
            "RemoteControlPairingEndToEnd: unknown",
            "RemoteControlPairingStartResponse.endToEnd: unknown",
            "RemoteControlPairingStatusResponse.device: unknown",
            "RemoteControlPairingStatusResponse.endToEnd: unknown",
            "remoteControl/pairing/confirm: unknown",
        ],
    ),
    ("the form of an MCP server passes through as it comes", &["McpElicitationSchema: anything"]),
    (
        "there they stand beside the union of kinds, where the comparison does not look",
        &["ThreadItem.completedAtMs: unknown", "ThreadItem.startedAtMs: unknown"],
    ),
];

#[test]
fn what_the_reference_allows_is_taken_and_what_is_sent_is_known() {
    let Some(reference) = Schemas::reference() else {
        return eprintln!("skipped: there is no schema in {}", folder().display());
    };
    let own = Schemas::own();
    let mut found = BTreeSet::new();
    let names = own.definitions.as_object().expect("types").keys();
    found.extend(
        names.filter(|name| reference.definitions.get(name.as_str()).is_none()).map(|name| format!("{name}: unknown")),
    );
    for (method, params) in &own.params {
        let Some(theirs) = reference.params.get(method) else {
            found.insert(format!("{method}: unknown"));
            continue;
        };
        if reference.definitions.get(theirs.as_str()).is_none() {
            continue;
        }
        found.extend(Comparison::of_taken(Side::new(reference, theirs), Side::new(own, params), params));
    }
    let results = own.results.iter().map(|(method, result)| (result, reference.results.get(method)));
    let notifications = own.notifications.iter().map(|(method, params)| (params, reference.notifications.get(method)));
    let asked = own.server_requests.iter().map(|(method, params)| (params, reference.server_requests.get(method)));
    for (ours, theirs) in results.chain(notifications).chain(asked) {
        let Some(theirs) = theirs.filter(|name| reference.definitions.get(name.as_str()).is_some()) else { continue };
        found.extend(Comparison::of_sent(Side::new(own, ours), Side::new(reference, theirs), ours));
    }
    let meant: BTreeSet<String> = MEANT.iter().flat_map(|(_, places)| *places).map(|it| (*it).to_owned()).collect();
    assert_eq!(found.difference(&meant).collect::<Vec<_>>(), Vec::<&String>::new(), "found and not meant");
    assert_eq!(meant.difference(&found).collect::<Vec<_>>(), Vec::<&String>::new(), "meant and no longer found");
}
