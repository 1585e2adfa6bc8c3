//! Whether a command or a patch runs, is asked about, or is refused.

use crate::protocol::server_request::OUTSIDE_THE_SANDBOX;
use crate::protocol::thread::{AskForApproval, SandboxPolicy};

/// How far a thread's sandbox lets its commands go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sandbox {
    /// They write nothing.
    ReadOnly,
    /// They write in the writable roots.
    WorkspaceWrite,
    /// Nothing holds them.
    FullAccess,
}

impl From<&SandboxPolicy> for Sandbox {
    fn from(policy: &SandboxPolicy) -> Self {
        match policy {
            SandboxPolicy::ReadOnly { .. } => Self::ReadOnly,
            SandboxPolicy::WorkspaceWrite { .. } => Self::WorkspaceWrite,
            // Somebody else's sandbox holds them; this server adds none.
            SandboxPolicy::DangerFullAccess | SandboxPolicy::ExternalSandbox { .. } => Self::FullAccess,
        }
    }
}

/// What a person allowed earlier in this thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allowed {
    /// Nothing that covers this request.
    #[default]
    No,
    /// Commands that begin like this one.
    Prefix,
    /// Exactly this, for the session.
    Exactly,
}

/// What the agent wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// It wants to run a command.
    Command {
        /// The command is known to read only; see [`harmless`](super::harmless::harmless).
        harmless: bool,
        /// Why it is destructive, if it is; see [`destructive`](super::destructive::destructive).
        destructive: Option<&'static str>,
        /// The agent asks to run it outside of the sandbox.
        wants_escalation: bool,
        /// The agent's reason.
        justification: Option<String>,
    },
    /// It wants to change files.
    Patch {
        /// All files, behind all links, lie in writable roots.
        inside_roots: bool,
        /// Some file is, or lies in, `.git`, `.codex` or `.agents` of a root.
        protected: bool,
        /// It adds a file where there is one.
        replaces_existing: bool,
    },
}

/// A request with all that decides about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// When the thread asks.
    pub policy: AskForApproval,
    /// What the thread's sandbox allows.
    pub sandbox: Sandbox,
    /// The kernel can confine commands.
    pub confinable: bool,
    /// What the agent wants.
    pub request: Request,
    /// What a person allowed earlier.
    pub allowed: Allowed,
}

/// What happens with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is done without a question.
    Run {
        /// Under the thread's sandbox policy; under one that only reads if the thread's allows everything.
        confined: bool,
    },
    /// A person is asked.
    Ask {
        /// If the person accepts, it is done under the thread's sandbox policy; under one that lets it write in the
        /// workspace if the thread's only reads.
        confined_if_accepted: bool,
        /// Why it is asked, for the person.
        reason: Option<String>,
    },
    /// It is not done.
    Refuse(String),
}

/// What an accepted command may do in a thread whose sandbox only reads: otherwise the person's yes would be in vain.
const WRITES_IN_THE_WORKSPACE: &str =
    "if you allow it, it may write in the workspace and in the folders for temporary files";

/// Decides about a request.
///
/// Accepting a command does not take it out of the sandbox, unless the agent asked for that or the kernel cannot confine
/// it: the person answers whether it may run, and the question says what it is allowed. Where the thread's sandbox only
/// reads, an accepted command may write in the workspace. The reference program runs
/// accepted commands without the sandbox, so that a person who lets `make` run also lets it write everywhere. And what
/// fails in the sandbox is never tried again without it: a program can print anything that looks like a denial.
pub fn decide(case: &Case) -> Decision {
    match &case.request {
        Request::Command { harmless, destructive, wants_escalation, justification } => {
            decide_command(case, *harmless, *destructive, *wants_escalation, justification.as_deref())
        }
        Request::Patch { inside_roots, protected, replaces_existing } => {
            decide_patch(case, *inside_roots, *protected, *replaces_existing)
        }
    }
}

fn decide_command(
    case: &Case,
    harmless: bool,
    destructive: Option<&'static str>,
    wants_escalation: bool,
    justification: Option<&str>,
) -> Decision {
    let is_free = case.sandbox == Sandbox::FullAccess;
    let confined = case.confinable && !is_free && !wants_escalation;
    let unconfinable = (!case.confinable && !is_free).then_some("nothing confines commands on this machine");
    let outside = (!confined).then_some(OUTSIDE_THE_SANDBOX);
    let widened = (confined && case.sandbox == Sandbox::ReadOnly).then_some(WRITES_IN_THE_WORKSPACE);
    let warning = destructive.map(|reason| format!("it {reason}"));
    // The agent's words come last, so that they cannot pass for the server's.
    let said = justification.map(|words| match (outside, widened, &warning) {
        (None, None, None) => words.to_owned(),
        _ => format!("the agent says: {words}"),
    });
    let ask = || Decision::Ask {
        confined_if_accepted: confined,
        reason: reasons([outside, unconfinable, warning.as_deref(), widened, said.as_deref()]),
    };
    match case.policy {
        AskForApproval::Never => {
            return if wants_escalation {
                refuse(
                    "Not run: commands outside of the sandbox are not allowed here, and nobody is asked. Run it inside.",
                )
            } else if unconfinable.is_some() {
                refuse(
                    "Not run: nothing confines commands on this machine, and nobody is asked. Work without commands.",
                )
            } else if let (Some(reason), false) = (destructive, confined) {
                refuse(&format!("Not run: this {reason}, and nobody is asked. Find a way that destroys nothing."))
            } else {
                Decision::Run { confined }
            };
        }
        AskForApproval::Granular(kinds) if !kinds.sandbox_approval && (wants_escalation || unconfinable.is_some()) => {
            return refuse("Not run: commands outside of the sandbox are not allowed in this thread. Run it inside.");
        }
        _ => {}
    }
    let is_allowed = match case.allowed {
        Allowed::Exactly => true,
        // A prefix says little about what runs, so something must hold it.
        Allowed::Prefix => destructive.is_none() && unconfinable.is_none(),
        Allowed::No => false,
    };
    if is_allowed {
        return Decision::Run { confined };
    }
    if destructive.is_some() || unconfinable.is_some() {
        return ask();
    }
    match case.policy {
        AskForApproval::Untrusted if harmless && !wants_escalation && case.confinable => {
            Decision::Run { confined: true }
        }
        AskForApproval::Untrusted => ask(),
        _ if wants_escalation && !is_free => ask(),
        _ => Decision::Run { confined },
    }
}

fn decide_patch(case: &Case, inside_roots: bool, protected: bool, replaces_existing: bool) -> Decision {
    if protected {
        return refuse("Not applied: .git, .codex and .agents of a workspace are protected. Leave them as they are.");
    }
    let is_free = case.sandbox == Sandbox::FullAccess;
    let is_inside = case.sandbox == Sandbox::WorkspaceWrite && inside_roots;
    let confined = is_inside && case.confinable;
    let asks_first = case.policy == AskForApproval::Untrusted;
    if case.policy != AskForApproval::Never && case.allowed == Allowed::Exactly || !asks_first && (is_free || confined)
    {
        return Decision::Run { confined };
    }
    let why = match case.sandbox {
        Sandbox::ReadOnly => Some("the sandbox allows reading only"),
        Sandbox::WorkspaceWrite if !inside_roots => Some("some files lie outside of the writable folders"),
        Sandbox::WorkspaceWrite if !case.confinable => Some("nothing confines changes on this machine"),
        Sandbox::WorkspaceWrite | Sandbox::FullAccess => None,
    };
    let may_ask = match case.policy {
        AskForApproval::Never => false,
        AskForApproval::Granular(kinds) => kinds.sandbox_approval,
        AskForApproval::Untrusted | AskForApproval::OnRequest => true,
    };
    if !may_ask {
        let why = why.unwrap_or("the thread does not allow it");
        return refuse(&format!("Not applied: {why}, and nobody is asked. Change only files that may be written."));
    }
    let replaces = replaces_existing.then_some("it replaces a file that exists");
    Decision::Ask { confined_if_accepted: confined, reason: reasons([why, replaces]) }
}

fn refuse(words: &str) -> Decision {
    Decision::Refuse(words.to_owned())
}

/// All reasons in one text.
fn reasons<const N: usize>(each: [Option<&str>; N]) -> Option<String> {
    let given: Vec<&str> = each.into_iter().flatten().collect();
    (!given.is_empty()).then(|| given.join("; "))
}
