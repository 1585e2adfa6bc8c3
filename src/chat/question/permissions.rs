//! Whether commands may do more than the sandbox allows, for a while.

use app_server_actors::protocol::server_request::{
    GrantedPermissionProfile, PermissionGrantScope, PermissionsRequestApprovalParams,
    PermissionsRequestApprovalResponse, RequestPermissionProfile,
};

use super::{Answer, Reply};
use crate::chat::exact::labelled;

/// The lines that ask it. Every folder has a line of its own.
pub fn lines(params: &PermissionsRequestApprovalParams, columns: usize) -> Vec<String> {
    let RequestPermissionProfile { network, file_system } = &params.permissions;
    let mut lines =
        vec!["The agent wants commands and patches to be allowed, beyond the sandbox of this thread, to:".to_owned()];
    let folders = file_system.iter().flat_map(|files| files.write.iter().flatten());
    lines.extend(folders.flat_map(|folder| labelled("  write below:", folder, columns)));
    if network.is_some_and(|network| network.enabled == Some(true)) {
        lines.push("  use the network".to_owned());
    }
    lines.extend(labelled("In:   ", &params.cwd, columns));
    lines.extend(params.reason.iter().flat_map(|reason| labelled("Why:  the agent says:", reason, columns)));
    lines.push("  y  yes, until this turn ends   a  yes, in this thread   n  no".to_owned());
    lines
}

/// What a line means as an answer. Who says yes grants what was shown.
pub fn reply(params: &PermissionsRequestApprovalParams, word: &str) -> Reply {
    let RequestPermissionProfile { network, file_system } = params.permissions.clone();
    let all = GrantedPermissionProfile { network, file_system };
    let (permissions, scope) = match word {
        "y" | "yes" => (all, PermissionGrantScope::Turn),
        "a" | "always" => (all, PermissionGrantScope::Session),
        "n" | "no" => (GrantedPermissionProfile::default(), PermissionGrantScope::Turn),
        _ => return Reply::Unclear,
    };
    let response = PermissionsRequestApprovalResponse { permissions, scope, strict_auto_review: None };
    Reply::Answer(Answer::Permissions(response))
}
