//! A review: one turn with one id, in which a reviewer with fresh eyes only reads, and whose findings the thread remembers.

use serde_json::{Value, json};

use crate::support::agent::{Agent, completed, ended, methods, say, told};
use crate::support::client::Client;
use crate::support::model::{Gate, Reply};
use crate::support::transports::over_every_shared_transport;

fn start(client: &mut Client, thread: &str, target: Value) -> Value {
    client.call("review/start", json!({"threadId": thread, "target": target}))
}

fn findings() -> Reply {
    let json = json!({
        "findings": [{"title": "[P1] It forgets", "body": "always", "code_location":
            {"absolute_file_path": "/w/a.rs", "line_range": {"start": 3, "end": 4}}}],
        "overall_explanation": "Not yet."
    });
    Reply::text(&json.to_string())
}

const SHOWN: &str = "Not yet.\n\nReview comment:\n\n- [P1] It forgets — /w/a.rs:3-4\n  always";

#[test]
fn a_review_is_one_turn_under_one_id_that_everybody_sees() {
    over_every_shared_transport(|serving| {
        let agent = Agent::new([Reply::text("Hello."), findings(), Reply::text("Mended.")]);
        agent.move_in(serving.codex_home());
        let mut client = serving.client();
        let thread = agent.free_thread(&mut client);
        say(&mut client, &thread);
        told(&mut client);
        let mut other = serving.client();
        other.call("thread/resume", json!({"threadId": thread}));

        let review = start(&mut client, &thread, json!({"type": "uncommittedChanges"}));
        assert_eq!(review["reviewThreadId"], json!(thread));
        assert_eq!(review["turn"]["items"][0]["content"][0]["text"], "current changes");
        let turn = review["turn"]["id"].clone();
        let seen = told(&mut client);
        assert_eq!(
            methods(&seen),
            [
                "turn/started",
                "item/started",
                "item/completed",
                "item/started",
                "item/completed",
                "item/started",
                "item/completed",
                "turn/completed"
            ]
        );
        for message in seen.iter().filter(|message| message["method"].as_str().unwrap_or("").starts_with("item/")) {
            assert_eq!(message["params"]["turnId"], turn);
        }
        let shown = |kind, member: &str| completed(&seen, kind)[0][member].clone();
        assert_eq!(shown("enteredReviewMode", "review"), "current changes");
        assert_eq!(shown("exitedReviewMode", "review"), SHOWN);
        assert_eq!(shown("agentMessage", "text"), SHOWN);
        let ids = |messages: &[Value]| -> Vec<Value> {
            let ids = messages.iter().map(|message| message["params"]["item"]["id"].clone());
            ids.filter(|id| !id.is_null()).collect()
        };
        assert_eq!(ids(&told(&mut other)), ids(&seen), "another client sees the same");
        let turns = client.call("thread/read", json!({"threadId": thread, "includeTurns": true}));
        let turns = turns["thread"]["turns"].as_array().expect("turns").clone();
        assert_eq!((turns.len(), &turns[1]["id"], &turns[1]["status"]), (2, &turn, &json!("completed")));

        say(&mut client, &thread);
        told(&mut client);
        let requests = agent.model.wait_for_requests(3);
        let reviewer = requests[1].said_by("user");
        assert!(reviewer.iter().all(|said| said != "go"), "the reviewer does not know the conversation: {reviewer:?}");
        assert!(reviewer.concat().contains("untracked files"), "{reviewer:?}");
        let said = requests[2].said_by("assistant");
        assert_eq!(said, ["Hello.", SHOWN], "the thread knows what was found, and not how");
    });
}

#[test]
fn a_reviewer_changes_nothing_even_where_the_thread_may_do_anything() {
    let script = json!({"cmd": "touch changed; cat seen", "login": false});
    let patch = json!({"patch": "*** Begin Patch\n*** Add File: changed\n+x\n*** End Patch"});
    let agent = Agent::new([
        Reply::call("exec_command", script),
        Reply::call("apply_patch", patch),
        Reply::call("dice", json!({})),
        Reply::text("I like it."),
    ]);
    std::fs::write(agent.work.join("seen"), "before").expect("a file");
    let server = agent.server();
    let mut client = server.client();
    let dice = json!({"type": "function", "name": "dice", "description": "d", "inputSchema": {"type": "object"}});
    let thread = agent.thread(
        &mut client,
        json!({"approvalPolicy": "never", "sandbox": "danger-full-access", "dynamicTools": [dice]}),
    );
    start(&mut client, &thread, json!({"type": "custom", "instructions": "look"}));
    let seen = told(&mut client);
    assert_eq!(completed(&seen, "exitedReviewMode")[0]["review"], "I like it.", "text without findings stays as it is");
    assert!(!agent.work.join("changed").exists());
    let outputs = agent.outputs(3);
    assert!(outputs[0].contains("before"), "{outputs:?}");
    assert!(outputs[1].starts_with("Not applied"), "{outputs:?}");
    assert_eq!(outputs[2], "unsupported call: dice");
}

#[test]
fn a_review_takes_no_words_and_says_so_and_can_be_interrupted() {
    let gate = Gate::new();
    let agent = Agent::new([Reply::new().and_pause(&gate).and_text("late"), Reply::text("Here again.")]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    let turn = start(&mut client, &thread, json!({"type": "baseBranch", "branch": "main"}))["turn"]["id"].clone();
    agent.model.wait_for_requests(1);
    let words = json!({"threadId": thread, "input": [{"type": "text", "text": "hurry"}], "expectedTurnId": turn});
    for method in ["turn/steer", "turn/start"] {
        let refusal = client.refusal(method, words.clone());
        let data = refusal.data.as_ref().expect("data");
        let kind = &data["codexErrorInfo"]["activeTurnNotSteerable"]["turnKind"];
        assert_eq!(kind, "review", "{method}: {}", refusal.message);
    }
    let refusal = client.refusal("review/start", json!({"threadId": thread, "target": {"type": "uncommittedChanges"}}));
    assert!(refusal.message.contains("a turn is running"), "{}", refusal.message);
    client.call("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    let seen = told(&mut client);
    assert_eq!(completed(&seen, "exitedReviewMode").len(), 1, "clients leave the review");
    assert_eq!(seen.last().expect("an end")["params"]["turn"]["status"], "interrupted");
    say(&mut client, &thread);
    assert_eq!(ended(&mut client), "completed");
    assert!(agent.model.requests()[1].tools().contains(&"apply_patch".to_owned()), "the thread has its tools again");
}

#[test]
fn what_cannot_be_reviewed_is_refused_in_words() {
    let agent = Agent::new([]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    let mut refused = |target: Value, delivery: Value| {
        let params = json!({"threadId": thread, "target": target, "delivery": delivery});
        client.refusal("review/start", params).message
    };
    let empty = [
        (json!({"type": "custom", "instructions": " "}), "instructions"),
        (json!({"type": "baseBranch", "branch": ""}), "branch"),
        (json!({"type": "commit", "sha": "\n", "title": "t"}), "sha"),
    ];
    for (target, member) in empty {
        assert_eq!(refused(target, Value::Null), format!("{member} must not be empty"));
    }
    let elsewhere = refused(json!({"type": "uncommittedChanges"}), json!("detached"));
    assert!(elsewhere.contains("detached"), "{elsewhere}");
    assert!(agent.model.requests().is_empty());
}
