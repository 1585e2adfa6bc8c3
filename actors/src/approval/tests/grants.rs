//! What is granted is what was asked for, and no more.

use std::path::PathBuf;

use super::super::grants::{Grants, MOST_FOLDERS, may_be_asked_for};
use crate::protocol::server_request::GrantedPermissionProfile;
use crate::protocol::settings::{AskForApproval, GranularApproval, SandboxPolicy};

fn grants(write: &[&str], network: bool) -> Grants {
    Grants { write: write.iter().map(|&path| path.to_owned()).collect(), network }
}

fn answer(json: serde_json::Value) -> GrantedPermissionProfile {
    serde_json::from_value(json).unwrap()
}

#[test]
fn only_what_was_asked_for_is_granted() {
    let asked = grants(&["/a", "/b"], false);
    let wider = answer(serde_json::json!({
        "network": { "enabled": true }, "fileSystem": { "write": ["/a", "/", "/b/../c"] }
    }));
    assert_eq!(asked.granted_by(&wider), grants(&["/a"], false));
    let by_entries = answer(serde_json::json!({ "fileSystem": { "entries": [
        { "path": { "type": "path", "path": "/b" }, "access": "write" },
        { "path": { "type": "path", "path": "/a" }, "access": "read" },
    ] } }));
    assert_eq!(asked.granted_by(&by_entries), grants(&["/b"], false));
    assert!(asked.granted_by(&answer(serde_json::json!({}))).are_empty());
    assert!(grants(&[], true).granted_by(&answer(serde_json::json!({ "network": {} }))).are_empty());
    assert_eq!(asked.granted_by(&asked.profile()), asked, "what is told can be granted as it is");
}

#[test]
fn a_policy_that_reads_only_writes_in_the_granted_folders_alone() {
    let read_only = SandboxPolicy::ReadOnly { network_access: false };
    let (policy, workspace) = grants(&["/a", "/b"], false).widen(read_only.clone(), "/w".into());
    let SandboxPolicy::WorkspaceWrite { writable_roots, network_access, exclude_tmpdir_env_var, exclude_slash_tmp } =
        policy
    else {
        panic!()
    };
    assert_eq!((workspace, writable_roots), (PathBuf::from("/a"), vec!["/b".to_owned()]));
    assert_eq!((network_access, exclude_tmpdir_env_var, exclude_slash_tmp), (false, true, true));
    let (policy, workspace) = grants(&[], true).widen(read_only, "/w".into());
    assert_eq!((policy, workspace), (SandboxPolicy::ReadOnly { network_access: true }, PathBuf::from("/w")));
    let (policy, _) = grants(&["/a"], true).widen(SandboxPolicy::DangerFullAccess, "/w".into());
    assert_eq!(policy, SandboxPolicy::DangerFullAccess);
}

#[test]
fn the_folders_granted_first_are_taken_back_first() {
    let mut all = Grants::default();
    for number in 0..=MOST_FOLDERS {
        all.add(&grants(&[&format!("/{number}")], false));
    }
    assert_eq!((all.write.len(), all.write[0].as_str()), (MOST_FOLDERS, "/1"));
    all.add(&grants(&["/1"], true));
    assert_eq!((all.write.len(), all.write.last().unwrap().as_str(), all.network), (MOST_FOLDERS, "/1", true));
}

#[test]
fn nobody_is_asked_where_there_is_nobody_or_nothing_to_ask_for() {
    let confined = SandboxPolicy::ReadOnly { network_access: false };
    let granular = |request_permissions| {
        AskForApproval::Granular(GranularApproval {
            sandbox_approval: true,
            rules: true,
            skill_approval: true,
            request_permissions,
            mcp_elicitations: true,
        })
    };
    assert!(may_be_asked_for(AskForApproval::OnRequest, &confined));
    assert!(may_be_asked_for(AskForApproval::Untrusted, &confined));
    assert!(may_be_asked_for(granular(true), &confined) && !may_be_asked_for(granular(false), &confined));
    assert!(!may_be_asked_for(AskForApproval::Never, &confined));
    assert!(!may_be_asked_for(AskForApproval::OnRequest, &SandboxPolicy::DangerFullAccess));
}
