//! The table of decisions, row by row: what happens under each policy and each sandbox.

use crate::approval::decide::{Allowed, Case, Decision, Request, Sandbox, decide};
use crate::protocol::server_request::OUTSIDE_THE_SANDBOX;
use crate::protocol::thread::{AskForApproval, GranularApproval, NetworkAccess, SandboxPolicy};

const SANDBOXES: [Sandbox; 3] = [Sandbox::ReadOnly, Sandbox::WorkspaceWrite, Sandbox::FullAccess];

fn granular(allows: bool) -> AskForApproval {
    AskForApproval::Granular(GranularApproval {
        sandbox_approval: allows,
        rules: allows,
        skill_approval: allows,
        request_permissions: allows,
        mcp_elicitations: allows,
    })
}

/// Untrusted, on request, never, granular with all, granular with nothing.
fn policies() -> [AskForApproval; 5] {
    [AskForApproval::Untrusted, AskForApproval::OnRequest, AskForApproval::Never, granular(true), granular(false)]
}

fn command(harmless: bool, destructive: bool, wants_escalation: bool) -> Request {
    let destructive = destructive.then_some("deletes files for good");
    Request::Command { harmless, destructive, wants_escalation, justification: None }
}

fn patch(inside_roots: bool, protected: bool) -> Request {
    Request::Patch { inside_roots, protected, replaces_existing: false }
}

/// In the words of the tables below: `run` and `ask` stay in the sandbox, `RUN` and `ASK` do not.
fn outcome(case: &Case) -> &'static str {
    match decide(case) {
        Decision::Run { confined: true } => "run",
        Decision::Run { confined: false } => "RUN",
        Decision::Ask { confined_if_accepted: true, .. } => "ask",
        Decision::Ask { confined_if_accepted: false, .. } => "ASK",
        Decision::Refuse(_) => "no",
    }
}

/// One line for each policy, with one word for each sandbox.
fn check(what: &str, request: &Request, confinable: bool, allowed: Allowed, expected: [&str; 5]) {
    for (policy, expected) in policies().into_iter().zip(expected) {
        let outcomes =
            SANDBOXES.map(|sandbox| outcome(&Case { policy, sandbox, confinable, request: request.clone(), allowed }));
        assert_eq!(outcomes.join(" "), expected, "{what}, {policy:?}, confinable: {confinable}, {allowed:?}");
    }
}

#[test]
fn commands_by_policy_and_sandbox() {
    let rows = [
        (
            "harmless",
            command(true, false, false),
            ["run run run", "run run RUN", "run run RUN", "run run RUN", "run run RUN"],
        ),
        (
            "plain",
            command(false, false, false),
            ["ask ask ASK", "run run RUN", "run run RUN", "run run RUN", "run run RUN"],
        ),
        (
            "destructive",
            command(false, true, false),
            ["ask ask ASK", "ask ask ASK", "run run no", "ask ask ASK", "ask ask ASK"],
        ),
        (
            "escalated",
            command(false, false, true),
            ["ASK ASK ASK", "ASK ASK RUN", "no no no", "ASK ASK RUN", "no no no"],
        ),
        (
            "harmless, escalated",
            command(true, false, true),
            ["ASK ASK ASK", "ASK ASK RUN", "no no no", "ASK ASK RUN", "no no no"],
        ),
        (
            "destructive, escalated",
            command(false, true, true),
            ["ASK ASK ASK", "ASK ASK ASK", "no no no", "ASK ASK ASK", "no no no"],
        ),
    ];
    for (what, request, expected) in rows {
        check(what, &request, true, Allowed::No, expected);
    }
}

#[test]
fn commands_where_the_kernel_cannot_confine() {
    let rows = [
        (
            "harmless",
            command(true, false, false),
            ["ASK ASK ASK", "ASK ASK RUN", "no no RUN", "ASK ASK RUN", "no no RUN"],
        ),
        (
            "plain",
            command(false, false, false),
            ["ASK ASK ASK", "ASK ASK RUN", "no no RUN", "ASK ASK RUN", "no no RUN"],
        ),
        (
            "destructive",
            command(false, true, false),
            ["ASK ASK ASK", "ASK ASK ASK", "no no no", "ASK ASK ASK", "no no ASK"],
        ),
        (
            "escalated",
            command(false, false, true),
            ["ASK ASK ASK", "ASK ASK RUN", "no no no", "ASK ASK RUN", "no no no"],
        ),
    ];
    for (what, request, expected) in rows {
        check(what, &request, false, Allowed::No, expected);
    }
}

#[test]
fn commands_that_a_person_allowed() {
    let all = |row: &'static str, never: &'static str, refusing: &'static str| [row, row, never, row, refusing];
    let (plain, destructive, escalated) =
        (command(false, false, false), command(false, true, false), command(false, false, true));
    check("plain", &plain, true, Allowed::Exactly, all("run run RUN", "run run RUN", "run run RUN"));
    check("destructive", &destructive, true, Allowed::Exactly, all("run run RUN", "run run no", "run run RUN"));
    check("escalated", &escalated, true, Allowed::Exactly, all("RUN RUN RUN", "no no no", "no no no"));
    check("unconfinable", &plain, false, Allowed::Exactly, all("RUN RUN RUN", "no no RUN", "no no RUN"));

    check("plain", &plain, true, Allowed::Prefix, all("run run RUN", "run run RUN", "run run RUN"));
    check("escalated", &escalated, true, Allowed::Prefix, all("RUN RUN RUN", "no no no", "no no no"));
    let asked = ["ask ask ASK", "ask ask ASK", "run run no", "ask ask ASK", "ask ask ASK"];
    check("a prefix allows nothing destructive", &destructive, true, Allowed::Prefix, asked);
    let asked = ["ASK ASK RUN", "ASK ASK RUN", "no no RUN", "ASK ASK RUN", "no no RUN"];
    check("a prefix needs a sandbox", &plain, false, Allowed::Prefix, asked);
}

#[test]
fn patches_by_policy_and_sandbox() {
    let (inside, outside) = (patch(true, false), patch(false, false));
    let of_inside = ["ASK ask ASK", "ASK run RUN", "no run RUN", "ASK run RUN", "no run RUN"];
    let of_outside = ["ASK ASK ASK", "ASK ASK RUN", "no no RUN", "ASK ASK RUN", "no no RUN"];
    check("inside", &inside, true, Allowed::No, of_inside);
    check("outside", &outside, true, Allowed::No, of_outside);
    check("inside, unconfinable", &inside, false, Allowed::No, of_outside);
    for protected in [patch(true, true), patch(false, true)] {
        for allowed in [Allowed::No, Allowed::Exactly] {
            check("protected", &protected, true, allowed, ["no no no"; 5]);
        }
    }
    let accepted = ["RUN run RUN", "RUN run RUN", "no run RUN", "RUN run RUN", "RUN run RUN"];
    check("inside, allowed", &inside, true, Allowed::Exactly, accepted);
}

#[test]
fn a_question_says_why_and_a_refusal_what_to_do() {
    let ask = |request: Request, sandbox| {
        let case = Case { policy: AskForApproval::OnRequest, sandbox, confinable: true, request, allowed: Allowed::No };
        match decide(&case) {
            Decision::Ask { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    };
    let escalated = |destructive| Request::Command {
        harmless: false,
        destructive,
        wants_escalation: true,
        justification: Some("may I?".to_owned()),
    };
    let reason = |text: &str| Some(text.to_owned());
    let outside = |rest: &str| reason(&format!("{OUTSIDE_THE_SANDBOX}; {rest}"));
    assert_eq!(ask(escalated(None), Sandbox::WorkspaceWrite), outside("the agent says: may I?"));
    let said = outside("it empties x; the agent says: may I?");
    assert_eq!(ask(escalated(Some("empties x")), Sandbox::FullAccess), said);
    let replacing = Request::Patch { inside_roots: false, protected: false, replaces_existing: true };
    let said = "some files lie outside of the writable folders; it replaces a file that exists";
    assert_eq!(ask(replacing, Sandbox::WorkspaceWrite), reason(said));

    for request in [command(false, false, true), patch(false, false), patch(true, true)] {
        let policy = AskForApproval::Never;
        let case = Case { policy, sandbox: Sandbox::WorkspaceWrite, confinable: true, request, allowed: Allowed::No };
        let Decision::Refuse(words) = decide(&case) else { panic!("{case:?}") };
        assert!(words.starts_with("Not ") && words.ends_with('.'), "{words}");
    }
}

#[test]
fn the_sandbox_of_somebody_else_is_none_of_ours() {
    let network_access = NetworkAccess::Restricted;
    assert_eq!(Sandbox::from(&SandboxPolicy::ExternalSandbox { network_access }), Sandbox::FullAccess);
    assert_eq!(Sandbox::from(&SandboxPolicy::DangerFullAccess), Sandbox::FullAccess);
    assert_eq!(Sandbox::from(&SandboxPolicy::ReadOnly { network_access: true }), Sandbox::ReadOnly);
}
