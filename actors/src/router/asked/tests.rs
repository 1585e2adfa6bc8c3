//! The router asks connections that are plain actors; its own mailbox has room for one message.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::*;
use crate::clock::Clock;
use crate::limits::Limits;
use crate::protocol::scope::{Scope, Scopes};
use crate::protocol::server_request::{
    DYNAMIC_TOOL_CALL, DynamicToolCallParams, FILE_CHANGE_APPROVAL, FileChangeApprovalDecision,
    FileChangeRequestApprovalParams, FileChangeRequestApprovalResponse,
};
use crate::protocol::unset::Unset;
use crate::router::listener::{Frames, listen};
use crate::router::{Effect, Outcome, Router, Unsubscribe};

const SOON: Duration = Duration::from_secs(60);

type Answered = oneshot::Receiver<Result<FileChangeRequestApprovalResponse, Unanswered>>;

fn router(pending_server_requests: usize) -> Arc<Addr<Router>> {
    Router::new(Arc::new(Limits { pending_server_requests, ..Limits::tiny() }), Arc::default(), Clock::system()).start()
}

async fn effect(router: &Addr<Router>, effect: Effect) {
    router.send(Outcome::none().then(effect)).await.unwrap();
}

/// An initialized connection that follows `thread`.
async fn follow(router: &Addr<Router>, id: u64, thread: ThreadId) -> Frames {
    follow_with(router, id, thread, Scopes::ALL).await
}

/// The same with these scopes.
async fn follow_with(router: &Addr<Router>, id: u64, thread: ThreadId, scopes: Scopes) -> Frames {
    let connection = ConnectionId(id);
    let frames = listen(router, connection).await;
    let opt_out = HashSet::from(["item/fileChange/requestApproval".to_owned()]);
    effect(router, Effect::Admit { connection, client: "test 1".to_owned(), opt_out, scopes }).await;
    effect(router, Effect::Subscribe { connection, thread }).await;
    frames
}

async fn ask(router: &Addr<Router>, thread: ThreadId, id: u64) -> Answered {
    let params = FileChangeRequestApprovalParams {
        thread_id: thread,
        turn_id: "u".into(),
        item_id: format!("item {id}"),
        started_at_ms: 1,
        reason: None,
        grant_root: Unset,
    };
    let (ask, answered) = Ask::new(thread, AskId(id), &FILE_CHANGE_APPROVAL, params);
    effect(router, Effect::Ask(ask)).await;
    answered
}

async fn answer(router: &Addr<Router>, connection: u64, id: RequestId, result: Value) {
    let answer = ClientAnswer::Result(to_raw_value(&result).unwrap());
    effect(router, Effect::Answered { connection: ConnectionId(connection), id, answer }).await;
}

fn accept() -> Value {
    json!({"decision": "accept"})
}

async fn decision(answered: Answered) -> FileChangeApprovalDecision {
    timeout(SOON, answered).await.unwrap().unwrap().unwrap().decision
}

async fn next(frames: &mut Frames) -> Value {
    serde_json::from_str(frames.next().await.text()).unwrap()
}

/// The next message asks with `id`.
async fn is_asked(frames: &mut Frames, id: i64) {
    let message = next(frames).await;
    assert_eq!((&message["method"], &message["id"]), (&json!("item/fileChange/requestApproval"), &json!(id)));
    assert!(message.get("emittedAtMs").is_none(), "only notifications are stamped: {message}");
}

/// The next message says that request `id` is resolved.
async fn is_told(frames: &mut Frames, id: i64) {
    let message = next(frames).await;
    assert_eq!(
        (&message["method"], &message["params"]["requestId"]),
        (&json!("serverRequest/resolved"), &json!(id)),
        "{message}"
    );
}

#[actix_rt::test]
async fn whoever_may_only_observe_is_not_asked_and_cannot_answer() {
    let (router, thread) = (router(2), ThreadId::new());
    let observe = Scopes::from_iter([Scope::Observe]);
    let mut early = follow_with(&router, 1, thread, observe).await;
    let answered = ask(&router, thread, 7).await;
    let mut late = follow_with(&router, 2, thread, observe).await;
    answer(&router, 1, RequestId::Integer(0), accept()).await;
    let mut converses = follow(&router, 3, thread).await;
    is_asked(&mut converses, 0).await;
    answer(&router, 3, RequestId::Integer(0), json!({"decision": "decline"})).await;
    assert_eq!(decision(answered).await, FileChangeApprovalDecision::Decline);
    is_told(&mut early, 0).await;
    is_told(&mut late, 0).await;
}

#[actix_rt::test]
async fn every_subscriber_is_asked_with_one_id_and_the_first_answer_counts() {
    let (router, thread) = (router(2), ThreadId::new());
    let (mut first, mut second) = (follow(&router, 1, thread).await, follow(&router, 2, thread).await);
    let elsewhere = follow(&router, 3, ThreadId::new()).await;
    let answered = ask(&router, thread, 7).await;
    is_asked(&mut first, 0).await;
    is_asked(&mut second, 0).await;
    answer(&router, 2, RequestId::Integer(0), json!({"decision": "decline"})).await;
    answer(&router, 1, RequestId::Integer(0), accept()).await;
    assert_eq!(decision(answered).await, FileChangeApprovalDecision::Decline);
    is_told(&mut first, 0).await;
    is_told(&mut second, 0).await;
    ask(&router, thread, 7).await;
    is_asked(&mut first, 1).await;
    assert!(first.is_empty() && elsewhere.is_empty());
}

#[actix_rt::test]
async fn only_who_was_asked_may_answer() {
    let (router, thread) = (router(1), ThreadId::new());
    let mut asked = follow(&router, 1, thread).await;
    let _elsewhere = follow(&router, 2, ThreadId::new()).await;
    // Follows the thread, but its handshake is not over.
    let early = listen(&router, ConnectionId(3)).await;
    effect(&router, Effect::Subscribe { connection: ConnectionId(3), thread }).await;
    let mut answered = ask(&router, thread, 1).await;
    is_asked(&mut asked, 0).await;
    for stranger in [2, 3, 4] {
        answer(&router, stranger, RequestId::Integer(0), accept()).await;
    }
    for other in [RequestId::Integer(1), RequestId::Integer(-1), RequestId::String("0".into())] {
        answer(&router, 1, other, accept()).await;
    }
    assert!(matches!(answered.try_recv(), Err(oneshot::error::TryRecvError::Empty)));
    assert!(early.is_empty());
    answer(&router, 1, RequestId::Integer(0), accept()).await;
    assert_eq!(decision(answered).await, FileChangeApprovalDecision::Accept);
}

#[actix_rt::test]
async fn whoever_attaches_is_asked_too_and_a_question_outlives_those_who_were_asked() {
    let (router, thread) = (router(2), ThreadId::new());
    let (one, two) = (ask(&router, thread, 1).await, ask(&router, thread, 2).await);
    let mut first = follow(&router, 1, thread).await;
    is_asked(&mut first, 0).await;
    is_asked(&mut first, 1).await;
    effect(&router, Effect::Forget { connection: ConnectionId(1) }).await;
    answer(&router, 1, RequestId::Integer(0), accept()).await;
    let mut second = follow(&router, 2, thread).await;
    is_asked(&mut second, 0).await;
    is_asked(&mut second, 1).await;
    answer(&router, 2, RequestId::Integer(1), accept()).await;
    answer(&router, 2, RequestId::Integer(0), json!({"decision": "cancel"})).await;
    assert_eq!(decision(one).await, FileChangeApprovalDecision::Cancel);
    assert_eq!(decision(two).await, FileChangeApprovalDecision::Accept);
}

#[actix_rt::test]
async fn a_question_can_be_withdrawn_alone_or_with_all_of_its_thread() {
    let (router, thread) = (router(3), ThreadId::new());
    let mut client = follow(&router, 1, thread).await;
    let mut waiting = Vec::new();
    for id in [1, 2, 3] {
        waiting.push(ask(&router, thread, id).await);
        is_asked(&mut client, id as i64 - 1).await;
    }
    effect(&router, Effect::Withdraw { thread: ThreadId::new(), ask: None }).await;
    effect(&router, Effect::Withdraw { thread, ask: Some(AskId(2)) }).await;
    is_told(&mut client, 1).await;
    assert!(timeout(SOON, waiting.remove(1)).await.unwrap().is_err(), "no answer comes any more");
    effect(&router, Effect::Withdraw { thread, ask: None }).await;
    is_told(&mut client, 0).await;
    is_told(&mut client, 2).await;
    for waiting in waiting {
        assert!(timeout(SOON, waiting).await.unwrap().is_err());
    }
    answer(&router, 1, RequestId::Integer(0), accept()).await;
    assert!(client.is_empty());
}

#[actix_rt::test]
async fn above_the_bound_a_question_is_refused_to_whoever_asks() {
    let (router, thread) = (router(1), ThreadId::new());
    let mut client = follow(&router, 1, thread).await;
    let first = ask(&router, thread, 1).await;
    let second = ask(&router, thread, 2).await;
    assert_eq!(timeout(SOON, second).await.unwrap().unwrap(), Err(Unanswered::TooMany { most: 1 }));
    is_asked(&mut client, 0).await;
    assert!(client.is_empty());
    answer(&router, 1, RequestId::Integer(0), accept()).await;
    assert_eq!(decision(first).await, FileChangeApprovalDecision::Accept);
    is_told(&mut client, 0).await;
    ask(&router, thread, 3).await;
    is_asked(&mut client, 1).await;
}

#[actix_rt::test]
async fn the_end_of_a_tool_call_is_told_by_its_item_alone() {
    let (router, thread) = (router(1), ThreadId::new());
    let mut client = follow(&router, 1, thread).await;
    let params = DynamicToolCallParams {
        thread_id: thread,
        turn_id: "u".into(),
        call_id: "c".into(),
        namespace: None,
        tool: "weather".into(),
        arguments: json!({}),
    };
    let (call, answered) = Ask::new(thread, AskId(1), &DYNAMIC_TOOL_CALL, params);
    effect(&router, Effect::Ask(call)).await;
    assert_eq!(next(&mut client).await["method"], "item/tool/call");
    answer(&router, 1, RequestId::Integer(0), json!({"contentItems": [], "success": true})).await;
    assert!(timeout(SOON, answered).await.unwrap().unwrap().unwrap().success);
    assert!(client.is_empty());
}

async fn refuse(router: &Addr<Router>, connection: u64) {
    let error = json!({"code": -32601, "message": "unknown method"});
    let answer = ClientAnswer::Error(to_raw_value(&error).unwrap());
    let (connection, id) = (ConnectionId(connection), RequestId::Integer(0));
    effect(router, Effect::Answered { connection, id, answer }).await;
}

#[actix_rt::test]
async fn an_error_or_nonsense_does_not_decide_while_others_are_asked() {
    let (router, thread) = (router(2), ThreadId::new());
    let mut clients = Vec::new();
    for id in 1..=3 {
        clients.push(follow(&router, id, thread).await);
    }
    let answered = ask(&router, thread, 7).await;
    refuse(&router, 1).await;
    answer(&router, 2, RequestId::Integer(0), json!({"decision": "whatever"})).await;
    // It has had its say.
    answer(&router, 1, RequestId::Integer(0), json!({"decision": "decline"})).await;
    answer(&router, 3, RequestId::Integer(0), accept()).await;
    assert_eq!(decision(answered).await, FileChangeApprovalDecision::Accept);
    for client in &mut clients {
        is_asked(client, 0).await;
        is_told(client, 0).await;
    }
}

#[actix_rt::test]
async fn what_the_last_one_refuses_is_declined() {
    let (router, thread) = (router(2), ThreadId::new());
    let (mut first, _second) = (follow(&router, 1, thread).await, follow(&router, 2, thread).await);
    let answered = ask(&router, thread, 7).await;
    is_asked(&mut first, 0).await;
    refuse(&router, 2).await;
    assert!(first.is_empty());
    refuse(&router, 1).await;
    let refused = timeout(SOON, answered).await.unwrap().unwrap();
    assert_eq!(refused, Err(Unanswered::Refused { code: -32601, message: "unknown method".into() }));
    is_told(&mut first, 0).await;
}

#[actix_rt::test]
async fn whoever_leaves_is_not_waited_for_after_a_refusal() {
    for leave in ["disconnect", "unsubscribe"] {
        let (router, thread) = (router(2), ThreadId::new());
        let (mut first, _second) = (follow(&router, 1, thread).await, follow(&router, 2, thread).await);
        let mut answered = ask(&router, thread, 7).await;
        is_asked(&mut first, 0).await;
        refuse(&router, 1).await;
        assert!(matches!(answered.try_recv(), Err(oneshot::error::TryRecvError::Empty)));
        let connection = ConnectionId(2);
        match leave {
            "disconnect" => effect(&router, Effect::Forget { connection }).await,
            _ => assert!(router.send(Unsubscribe { connection, thread }).await.unwrap()),
        }
        assert!(timeout(SOON, answered).await.unwrap().unwrap().is_err(), "{leave}");
        is_told(&mut first, 0).await;
    }
}

#[actix_rt::test]
async fn a_refusal_is_forgotten_when_somebody_new_can_answer() {
    let (router, thread) = (router(2), ThreadId::new());
    let _first = follow(&router, 1, thread).await;
    let _second = follow(&router, 2, thread).await;
    let answered = ask(&router, thread, 7).await;
    refuse(&router, 1).await;
    let _third = follow(&router, 3, thread).await;
    refuse(&router, 2).await;
    answer(&router, 3, RequestId::Integer(0), accept()).await;
    assert_eq!(decision(answered).await, FileChangeApprovalDecision::Accept);
}
