use serde_json::{Value, json};

use super::super::turn::ThreadItem;
use super::super::{ClientMessage, ClientRequest, Gate, Method, decode};
use super::*;

/// A thread with one turn, as the reference program writes it; the path is the only member that is ours.
pub(crate) const THREAD: &str = r#"{"id":"01a202db-1602-7460-9131-7de1ed2f5379","environments":[{"environmentId":"local","cwd":"/work","runtimeWorkspaceRoots":["/work"]}],"extra":null,"sessionId":"01a202db-1602-7460-9131-7de1ed2f5379","forkedFromId":null,"attachedToThreadId":null,"parentThreadId":null,"preview":"hello alpha","ephemeral":false,"section":null,"sectionEnteredAt":null,"projectId":null,"historyMode":"paginated","modelProvider":"fake","model":"gpt-5.2-codex","reasoningEffort":null,"createdAt":1795344242,"updatedAt":1795344247,"recencyAt":1795344247,"status":{"type":"idle"},"path":null,"cwd":"/work","cliVersion":"0.171.0","originator":"probe_A","source":"vscode","canAcceptDirectInput":true,"threadSource":null,"agentNickname":null,"agentRole":null,"gitInfo":{"sha":"abc","branch":"main","originUrl":"https://e/x.git"},"name":null,"daybreakEnabled":null,"turns":[{"id":"01a202db-17a1-7852-ba0a-5359e212eee3","rootTurnId":"01a202db-17a1-7852-ba0a-5359e212eee3","items":[{"type":"userMessage","id":"01a202db-17c4-7032-9a49-dbb1a3d23e5a","clientId":null,"content":[{"type":"text","text":"hello alpha","text_elements":[]}],"startedAtMs":1795344242630,"completedAtMs":1795344242630}],"itemsView":"full","status":"completed","error":null,"startedAt":1795344242,"completedAt":1795344242,"durationMs":64}]}"#;

fn request(method: &str, params: Value) -> Result<ThreadRequest, String> {
    let text = json!({"id": 1, "method": method, "params": params}).to_string();
    match decode(&text) {
        Ok(ClientMessage::Request { request: ClientRequest::Threads(request), .. }) => Ok(request),
        Ok(other) => panic!("{method} was read as {other:?}"),
        Err(refusal) => Err(refusal.error.message),
    }
}

#[test]
fn a_thread_is_written_as_the_reference_writes_it() {
    let thread: Thread = serde_json::from_str(THREAD).unwrap();
    assert_eq!(serde_json::to_string(&thread).unwrap(), THREAD);
}

#[test]
fn the_result_of_start_has_the_references_members_in_its_order() {
    let thread: Thread = serde_json::from_str(THREAD).unwrap();
    let loaded = LoadedThread {
        thread,
        model: "m".into(),
        model_provider: "p".into(),
        service_tier: None,
        disabled_plugin_ids: vec![],
        cwd: "/work".into(),
        runtime_workspace_roots: vec!["/work".into()],
        instruction_sources: vec![],
        approval_policy: AskForApproval::OnRequest,
        approvals_reviewer: ApprovalsReviewer::User,
        sandbox: SandboxPolicy::WorkspaceWrite {
            writable_roots: vec![],
            network_access: false,
            exclude_tmpdir_env_var: false,
            exclude_slash_tmp: false,
        },
        active_permission_profile: None,
        reasoning_effort: None,
    };
    let started = ThreadStartResponse { loaded: loaded.clone(), multi_agent_mode: MultiAgentMode::default() };
    let common = r#","model":"m","modelProvider":"p","serviceTier":null,"disabledPluginIds":[],"cwd":"/work","runtimeWorkspaceRoots":["/work"],"instructionSources":[],"approvalPolicy":"on-request","approvalsReviewer":"user","sandbox":{"type":"workspaceWrite","writableRoots":[],"networkAccess":false,"excludeTmpdirEnvVar":false,"excludeSlashTmp":false},"activePermissionProfile":null,"reasoningEffort":null"#;
    assert_eq!(
        serde_json::to_string(&started).unwrap(),
        format!(r#"{{"thread":{THREAD}{common},"multiAgentMode":"explicitRequestOnly"}}"#)
    );
    let resumed = ThreadResumeResponse {
        loaded,
        collaboration_mode: None,
        multi_agent_mode: MultiAgentMode::default(),
        initial_turns_page: None,
        turns_backwards_cursor: None,
        items_backwards_cursor: None,
    };
    assert_eq!(
        serde_json::to_string(&resumed).unwrap(),
        format!(
            r#"{{"thread":{THREAD}{common},"collaborationMode":null,"multiAgentMode":"explicitRequestOnly","initialTurnsPage":null,"turnsBackwardsCursor":null,"itemsBackwardsCursor":null}}"#
        )
    );
}

#[test]
fn params_may_be_missing_or_null_where_every_member_is_optional() {
    for text in [r#"{"id":1,"method":"thread/start"}"#, r#"{"id":1,"method":"thread/start","params":null}"#] {
        assert!(matches!(
            decode(text),
            Ok(ClientMessage::Request { request: ClientRequest::Threads(ThreadRequest::Start(_)), .. })
        ));
    }
    let refusal = decode(r#"{"id":1,"method":"thread/read"}"#).unwrap_err();
    assert_eq!(refusal.error.message, "Invalid request: missing field `params`");
}

#[test]
fn params_that_do_not_fit_are_refused_with_the_references_words() {
    for (method, params, reason) in [
        ("thread/resume", json!({}), "missing field `threadId`"),
        ("thread/start", json!([]), "params must be an object, not an array"),
        (
            "thread/start",
            json!({"sandbox": "bogus"}),
            "unknown variant `bogus`, expected one of `read-only`, `workspace-write`, `danger-full-access`",
        ),
        (
            "thread/start",
            json!({"approvalPolicy": "on-failure"}),
            "unknown variant `on-failure`, expected one of `untrusted`, `on-request`, `granular`, `never`",
        ),
        ("thread/name/set", json!({"threadId": "x", "name": null}), "invalid type: null, expected a string"),
        ("thread/list", json!({"limit": -1}), "invalid value: integer `-1`, expected u32"),
        (
            "thread/list",
            json!({"sortKey": "bogus"}),
            "unknown variant `bogus`, expected one of `created_at`, `updated_at`, `recency_at`, `section_position`",
        ),
        (
            "thread/search",
            json!({"searchTerm": "a", "sortKey": "bogus"}),
            "unknown variant `bogus`, expected one of `created_at`, `updated_at`, `recency_at`",
        ),
        (
            "thread/items/list",
            json!({"threadId": "x", "cursor": {"x": 1}}),
            "data did not match any variant of untagged enum ThreadItemsListCursor",
        ),
        ("turn/interrupt", json!({"threadId": "x"}), "missing field `turnId`"),
    ] {
        let message = request(method, params.clone()).map(|r| panic!("{params} was read as {r:?}")).unwrap_err();
        assert_eq!(message, format!("Invalid request: {reason}"), "{method} {params}");
    }
}

#[test]
fn optional_members_may_be_null() {
    let all_null = json!({"cursor": null, "limit": null, "sortKey": null, "archived": null, "searchTerm": null,
        "cwd": null, "sourceKinds": null, "useStateDbOnly": null, "sectionId": null});
    let Ok(ThreadRequest::List(list)) = request("thread/list", all_null) else { panic!("thread/list was refused") };
    assert_eq!(list.section_id, Some(None), "null asks for threads without a section");
    assert!(!list.use_state_db_only);
}

#[test]
fn an_absent_member_of_git_info_is_not_a_null_one() {
    let params = json!({"threadId": "x", "gitInfo": {"sha": null, "branch": "main"}});
    let Ok(ThreadRequest::MetadataUpdate(update)) = request("thread/metadata/update", params) else {
        panic!("thread/metadata/update was refused")
    };
    assert_eq!(
        update.git_info,
        Some(GitInfoUpdate { sha: Some(None), branch: Some(Some("main".into())), origin_url: None })
    );
}

#[test]
fn gated_members_are_found_and_null_or_false_ones_are_not() {
    let granular = json!({"granular": {"sandbox_approval": true, "rules": true, "mcp_elicitations": true}});
    for (method, params, member) in [
        ("thread/start", json!({"model": "m", "dynamicTools": []}), Some("thread/start.dynamicTools")),
        ("thread/start", json!({"dynamicTools": null}), None),
        ("thread/start", json!({"experimentalRawEvents": false}), None),
        ("thread/start", json!({"daybreakEnabled": false}), Some("thread/start.daybreakEnabled")),
        ("thread/start", json!({"historyMode": "legacy"}), Some("thread/start.historyMode")),
        ("thread/start", json!({"approvalPolicy": granular}), Some("askForApproval.granular")),
        ("thread/resume", json!({"threadId": "x", "initialTurnsPage": {}}), Some("thread/resume.initialTurnsPage")),
        ("thread/fork", json!({"threadId": "x", "attachToSource": false}), None),
        ("thread/fork", json!({"threadId": "x", "beforeTurnId": "t"}), Some("thread/fork.beforeTurnId")),
        (
            "thread/metadata/update",
            json!({"threadId": "x", "projectId": "p"}),
            Some("thread/metadata/update.projectId"),
        ),
        ("thread/list", json!({"projectId": null}), Some("thread/list.projectId")),
        ("thread/list", json!({}), None),
        (
            "turn/start",
            json!({"threadId": "x", "input": [], "additionalContext": {}}),
            Some("turn/start.additionalContext"),
        ),
        (
            "turn/steer",
            json!({"threadId": "x", "input": [], "expectedTurnId": "t", "responsesapiClientMetadata": {}}),
            Some("turn/steer.responsesapiClientMetadata"),
        ),
        ("thread/read", json!({"threadId": "x"}), None),
    ] {
        assert_eq!(request(method, params.clone()).unwrap().experimental_member(), member, "{method} {params}");
    }
}

#[test]
fn the_gates_are_those_of_the_reference() {
    for name in ["thread/search", "thread/readState/update", "thread/backgroundTerminals/list"] {
        assert_eq!(Method::find(name).unwrap().gate, Gate::Experimental, "{name}");
    }
    for name in ["thread/start", "thread/goal/get", "thread/items/list", "turn/steer"] {
        assert_eq!(Method::find(name).unwrap().gate, Gate::Stable, "{name}");
    }
}

#[test]
fn a_malformed_thread_id_is_refused_in_words_that_clients_know() {
    assert_eq!(
        ThreadId::parse("bad").unwrap_err().to_string(),
        "invalid length: expected length 32 for simple format, found 3"
    );
    assert_eq!(
        ThreadId::parse("not-a-uuid").unwrap_err().to_string(),
        "invalid character: expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-], found `n` at 1"
    );
    assert_eq!(ThreadId::parse("0-1").unwrap_err().to_string(), "invalid group count: expected 5, found 2");
    let id = ThreadId::new();
    assert_eq!(ThreadId::parse(&id.to_string()), Ok(id));
}

#[test]
fn items_know_their_id_and_what_was_said() {
    let item = |json: &str| serde_json::from_str::<ThreadItem>(json).unwrap().summary();
    let said = item(
        r#"{"type":"userMessage","id":"u1","content":[{"type":"text","text":"one \"quoted\""},{"type":"localImage","path":"/p"},{"type":"text","text":"two"}],"startedAtMs":5}"#,
    )
    .unwrap();
    assert_eq!((said.id.as_str(), said.text.as_str()), ("u1", "one \"quoted\"\ntwo"));
    assert_eq!((said.started_at_ms, said.completed_at_ms), (Some(5), None));
    let answered = item(r#"{"type":"agentMessage","id":"a1","text":"yes"}"#).unwrap();
    assert_eq!((answered.kind.as_str(), answered.text.as_str()), ("agentMessage", "yes"));
    let ran = item(r#"{"type":"commandExecution","id":"c1","command":"ls"}"#).unwrap();
    assert_eq!(ran.text, "");
    item(r#"{"type":"agentMessage"}"#).unwrap_err();
}
