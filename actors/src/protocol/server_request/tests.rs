use serde_json::{Value, json};

use super::*;
use crate::protocol::{Frame, RequestId};

/// Requests of the reference program, one a line; that of an MCP server is made after its schema.
const RECORDED: &str = include_str!("recorded.jsonl");

/// The message, read as the params `P` and written again.
fn again<P: serde::Serialize + DeserializeOwned, A>(request: &ServerRequest<P, A>, message: &Value) -> Value {
    let params: P = serde_json::from_value(message["params"].clone()).unwrap();
    let id: RequestId = serde_json::from_value(message["id"].clone()).unwrap();
    serde_json::from_str(Frame::request(&id, request.name(), &params).unwrap().text()).unwrap()
}

#[test]
fn what_the_reference_asks_is_read_and_written_the_same() {
    for line in RECORDED.lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let written = match message["method"].as_str().unwrap() {
            "item/commandExecution/requestApproval" => again(&COMMAND_APPROVAL, &message),
            "item/fileChange/requestApproval" => again(&FILE_CHANGE_APPROVAL, &message),
            "item/permissions/requestApproval" => again(&PERMISSIONS_APPROVAL, &message),
            "item/tool/requestUserInput" => again(&USER_INPUT, &message),
            "mcpServer/elicitation/request" => again(&MCP_ELICITATION, &message),
            "item/tool/call" => again(&DYNAMIC_TOOL_CALL, &message),
            other => panic!("{other} is not in the table"),
        };
        assert_eq!(written, message);
    }
    assert_eq!(RECORDED.lines().count(), SERVER_REQUESTS.len());
}

fn result(json: Value) -> ClientAnswer {
    ClientAnswer::Result(serde_json::value::to_raw_value(&json).unwrap())
}

fn error(json: Value) -> ClientAnswer {
    ClientAnswer::Error(serde_json::value::to_raw_value(&json).unwrap())
}

#[test]
fn every_decision_that_a_client_may_take_is_read() {
    use CommandExecutionApprovalDecision as Decision;
    let words = vec!["git".to_owned(), "push".to_owned()];
    for (written, decision) in [
        (json!("accept"), Decision::Accept),
        (json!("acceptForSession"), Decision::AcceptForSession),
        (json!("decline"), Decision::Decline),
        (json!("cancel"), Decision::Cancel),
        (
            json!({"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["git", "push"]}}),
            Decision::AcceptWithExecpolicyAmendment { execpolicy_amendment: words },
        ),
    ] {
        let read = COMMAND_APPROVAL.read(&result(json!({"decision": written, "later": 1}))).unwrap();
        assert_eq!(read.decision, decision);
    }
    let granted = PERMISSIONS_APPROVAL.read(&result(json!({"permissions": {}}))).unwrap();
    assert_eq!((granted.permissions, granted.scope), (GrantedPermissionProfile::default(), PermissionGrantScope::Turn));
}

#[test]
fn an_answer_that_is_none_says_why() {
    let read = |answer: &ClientAnswer| FILE_CHANGE_APPROVAL.read(answer).unwrap_err();
    for nonsense in [json!(null), json!({}), json!({"decision": "perhaps"}), json!([])] {
        assert!(matches!(read(&result(nonsense.clone())), Unanswered::Malformed { .. }), "{nonsense}");
    }
    let refused = read(&error(json!({"code": -32000, "message": "no user here", "data": {}})));
    assert_eq!(refused, Unanswered::Refused { code: -32000, message: "no user here".into() });
    let nonsense = read(&error(json!("no")));
    assert_eq!(nonsense, Unanswered::Refused { code: 0, message: "\"no\"".into() });
}

#[test]
fn debug_shows_no_answer() {
    assert!(!format!("{:?}", result(json!({"answers": {"q": {"answers": ["a-secret"]}}}))).contains("a-secret"));
}

#[test]
fn a_long_refusal_is_cut() {
    let long = "x".repeat(1 << 20);
    let error = ClientAnswer::Error(serde_json::value::to_raw_value(&long).unwrap());
    let Err(Unanswered::Refused { message, .. }) = FILE_CHANGE_APPROVAL.read(&error) else { panic!("it is refused") };
    assert_eq!(message.len(), 1024);
}
