//! What a person granted beyond a thread's sandbox: further folders to write in, and the network.

use std::path::PathBuf;

use crate::protocol::server_request::{
    AdditionalFileSystemPermissions, AdditionalNetworkPermissions, FileSystemAccessMode, FileSystemPath,
    FileSystemSandboxEntry, GrantedPermissionProfile, RequestPermissionProfile,
};
use crate::protocol::settings::{AskForApproval, SandboxPolicy};

use super::decide::Sandbox;

/// Folders that are granted at most, together. Each is a mount of every confined command.
pub const MOST_FOLDERS: usize = 32;

/// Permissions in addition to those of a thread's sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Folders below which commands may write; absolute, without links.
    pub write: Vec<String>,
    /// Whether commands may use the network.
    pub network: bool,
}

/// Whether a person can be asked for more, and there is more to ask for.
pub fn may_be_asked_for(policy: AskForApproval, sandbox: &SandboxPolicy) -> bool {
    let asks = match policy {
        AskForApproval::Never => false,
        AskForApproval::Granular(kinds) => kinds.request_permissions,
        AskForApproval::Untrusted | AskForApproval::OnRequest => true,
    };
    asks && Sandbox::from(sandbox) != Sandbox::FullAccess
}

impl Grants {
    /// Whether they permit nothing.
    pub fn are_empty(&self) -> bool {
        self.write.is_empty() && !self.network
    }

    /// What a client is asked for.
    pub fn request(&self) -> RequestPermissionProfile {
        let GrantedPermissionProfile { network, file_system } = self.profile();
        RequestPermissionProfile { network, file_system }
    }

    /// The same as it is told.
    pub fn profile(&self) -> GrantedPermissionProfile {
        let entry = |path: &String| FileSystemSandboxEntry {
            path: FileSystemPath::Path { path: path.clone() },
            access: FileSystemAccessMode::Write,
        };
        GrantedPermissionProfile {
            network: self.network.then_some(AdditionalNetworkPermissions { enabled: Some(true) }),
            file_system: (!self.write.is_empty()).then(|| AdditionalFileSystemPermissions {
                read: None,
                write: Some(self.write.clone()),
                glob_scan_max_depth: None,
                entries: Some(self.write.iter().map(entry).collect()),
            }),
        }
    }

    /// What of these the answer grants. Whatever else it names was not asked for, and does not count.
    pub fn granted_by(&self, answer: &GrantedPermissionProfile) -> Self {
        let network = answer.network.is_some_and(|network| network.enabled == Some(true));
        let files = answer.file_system.as_ref();
        let named = files.into_iter().flat_map(|files| files.write.iter().flatten());
        let entries = files.into_iter().flat_map(|files| files.entries.iter().flatten());
        let entries = entries.filter_map(|entry| match (&entry.path, entry.access) {
            (FileSystemPath::Path { path }, FileSystemAccessMode::Write) => Some(path),
            _ => None,
        });
        let granted: Vec<&String> = named.chain(entries).collect();
        let write = self.write.iter().filter(|path| granted.contains(path)).cloned().collect();
        Self { write, network: self.network && network }
    }

    /// Adds more. Beyond [`MOST_FOLDERS`] the oldest folders are taken back.
    pub fn add(&mut self, more: &Self) {
        self.network |= more.network;
        self.write.retain(|path| !more.write.contains(path));
        self.write.extend_from_slice(&more.write);
        let too_many = self.write.len().saturating_sub(MOST_FOLDERS);
        self.write.drain(..too_many);
    }

    /// The policy with these permissions, and the workspace for which it is meant. A policy that only reads becomes one
    /// that writes in the granted folders and nowhere else: the first of them takes the place of the workspace.
    pub fn widen(&self, policy: SandboxPolicy, workspace: PathBuf) -> (SandboxPolicy, PathBuf) {
        match policy {
            SandboxPolicy::DangerFullAccess | SandboxPolicy::ExternalSandbox { .. } => (policy, workspace),
            SandboxPolicy::ReadOnly { network_access } => {
                let network_access = network_access || self.network;
                let Some((first, others)) = self.write.split_first() else {
                    return (SandboxPolicy::ReadOnly { network_access }, workspace);
                };
                let policy = SandboxPolicy::WorkspaceWrite {
                    writable_roots: others.to_vec(),
                    network_access,
                    exclude_tmpdir_env_var: true,
                    exclude_slash_tmp: true,
                };
                (policy, first.into())
            }
            SandboxPolicy::WorkspaceWrite {
                mut writable_roots,
                network_access,
                exclude_tmpdir_env_var,
                exclude_slash_tmp,
            } => {
                writable_roots.extend_from_slice(&self.write);
                let policy = SandboxPolicy::WorkspaceWrite {
                    writable_roots,
                    network_access: network_access || self.network,
                    exclude_tmpdir_env_var,
                    exclude_slash_tmp,
                };
                (policy, workspace)
            }
        }
    }
}
