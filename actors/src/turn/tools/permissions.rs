//! `request_permissions`: asks the person for more than the sandbox allows.

use std::rc::Rc;

use actix_rt::task::spawn_blocking;
use schemars::JsonSchema;
use serde::Deserialize;

use super::apply_patch::{is_protected, named_and_real};
use super::schema::parameters;
use super::toolbox::Unheard;
use super::{Answer, Tool, Toolbox, USUAL_BYTES, run};
use crate::approval::grants::{Grants, MOST_FOLDERS, may_be_asked_for};
use crate::protocol::quoted::beginning;
use crate::protocol::server_request::{
    PERMISSIONS_APPROVAL, PermissionGrantScope, PermissionsRequestApprovalParams, PermissionsRequestApprovalResponse,
};
use crate::turn::messages::AskPurpose;

pub(super) const TOOL: Tool = Tool {
    name: "request_permissions",
    about: "Asks the person to let commands and patches write in further folders, or use the network, for a while.",
    parameters: parameters::<RequestPermissions>,
    most_bytes: USUAL_BYTES,
    run: |toolbox, call| run(toolbox, &call, request_permissions),
};

#[derive(Deserialize, JsonSchema)]
struct RequestPermissions {
    /// Why: one short question to the person.
    #[serde(default)]
    reason: Option<String>,
    /// What you need, and no more.
    permissions: Permissions,
}

#[derive(Deserialize, JsonSchema)]
struct Permissions {
    /// Folders.
    #[serde(default)]
    file_system: Option<Folders>,
    /// The network.
    #[serde(default)]
    network: Option<Network>,
}

#[derive(Deserialize, JsonSchema)]
struct Folders {
    /// Folders to write in; each must exist.
    #[serde(default)]
    write: Option<Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
struct Network {
    /// Whether you need it.
    #[serde(default)]
    enabled: Option<bool>,
}

async fn request_permissions(toolbox: Rc<Toolbox>, call_id: String, wanted: RequestPermissions) -> Answer {
    if !may_be_asked_for(toolbox.rules.approval, &toolbox.rules.commands.sandbox) {
        return refused("this thread does not ask for permissions; work with what commands may do");
    }
    if !toolbox.setup.runner.can_confine().await {
        return refused("nothing confines commands on this machine, so the person is asked about each of them anyway");
    }
    let asked = match toolbox.wanted(wanted.permissions).await {
        Ok(asked) if asked.are_empty() => return refused("name a folder to write in, or the network"),
        Ok(asked) => asked,
        Err(reason) => return refused(&reason),
    };
    let params = PermissionsRequestApprovalParams {
        thread_id: toolbox.thread_id,
        turn_id: toolbox.turn_id.to_string(),
        item_id: call_id,
        environment_id: Some("local".to_owned()),
        started_at_ms: toolbox.setup.clock.unix_ms(),
        cwd: toolbox.rules.cwd.to_string_lossy().into_owned(),
        reason: wanted.reason.filter(|reason| !reason.trim().is_empty()),
        permissions: asked.request(),
    };
    match toolbox.ask(AskPurpose::Approval, &PERMISSIONS_APPROVAL, params).await {
        Ok(PermissionsRequestApprovalResponse { permissions, scope, .. }) => {
            let granted = asked.granted_by(&permissions);
            if granted.are_empty() {
                return Answer::Text("the person did not grant this".to_owned());
            }
            match scope {
                PermissionGrantScope::Turn => toolbox.granted.borrow_mut().add(&granted),
                PermissionGrantScope::Session => toolbox.remembered().grants.add(&granted),
            }
            let told = serde_json::json!({ "permissions": granted.profile(), "scope": scope });
            Answer::Text(told.to_string())
        }
        Err(Unheard::Stopped) => Answer::Text("aborted by user".to_owned()),
        Err(Unheard::Refused) => Answer::Text("approval request failed".to_owned()),
        Err(Unheard::TimeIsOver) => Answer::Text("the person did not answer".to_owned()),
    }
}

fn refused(reason: &str) -> Answer {
    Answer::Text(format!("not asked: {reason}"))
}

impl Toolbox {
    /// The permissions that the model means. A folder is named by its path without links, so that the person is asked for
    /// the folder that is opened.
    ///
    /// # Errors
    /// They cannot be asked for; in words for the model.
    async fn wanted(&self, Permissions { file_system, network }: Permissions) -> Result<Grants, String> {
        let named = file_system.and_then(|folders| folders.write).unwrap_or_default();
        if named.len() > MOST_FOLDERS {
            return Err(format!("name at most {MOST_FOLDERS} folders"));
        }
        let (rules, cwd) = (self.rules.commands.clone(), self.rules.cwd.clone());
        let roots = self.setup.runner.writable(&rules, &cwd);
        let found = spawn_blocking(move || {
            let roots = named_and_real(roots);
            let mut write = Vec::new();
            for name in named {
                let path = cwd.join(&name).canonicalize().ok().filter(|path| path.is_dir());
                let path = path.ok_or_else(|| format!("there is no folder {}", beginning(&name)))?;
                if is_protected(&path, &roots) {
                    return Err(format!("{} is protected; leave it as it is", beginning(&name)));
                }
                let path = path.into_os_string().into_string();
                let path = path.map_err(|_| format!("the name of {} is not UTF-8", beginning(&name)))?;
                if !write.contains(&path) {
                    write.push(path);
                }
            }
            Ok(write)
        });
        let write = found.await.map_err(|_| "the server failed while it looked for the folders".to_owned())??;
        Ok(Grants { write, network: network.and_then(|network| network.enabled).unwrap_or_default() })
    }
}
