//! What to do when a backend refuses the account's access token.

use std::cell::Cell;
use std::sync::Arc;

use super::Credentials;
use crate::protocol::Secret;
use crate::protocol::account::TokenResponse;

/// What can still be tried after a backend has refused the account: first reading `auth.json` again, then new tokens.
/// Each refusal takes one step.
pub struct Recovery {
    steps: Cell<u8>,
    repeats: bool,
}

/// What follows from a step of recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing is left to try.
    Exhausted,
    /// Ask again now.
    AskAgain,
    /// Fail now, and ask again after a wait.
    Later,
}

impl Recovery {
    /// For a request of a client: renews the tokens and repeats the request once. It skips the first step, because
    /// every request reads the file anyway.
    pub fn of_request() -> Self {
        Self { steps: Cell::new(1), repeats: true }
    }

    /// For a cycle of attempts: after each step the attempt fails, and the cycle waits as after every failure.
    pub fn of_cycle() -> Self {
        Self { steps: Cell::new(0), repeats: false }
    }

    /// Makes all steps available again.
    pub fn renew(&self) {
        self.steps.set(0);
    }

    /// Whether no step is left.
    pub fn is_exhausted(&self) -> bool {
        self.steps.get() >= 2
    }

    /// Takes the next step after the access token `refused` was refused. `now` and `ask` are those of
    /// [`Credentials::renew`].
    pub async fn step(
        &self,
        credentials: &Arc<Credentials>,
        refused: Secret,
        now: String,
        ask: impl AsyncFnOnce(Secret) -> Result<TokenResponse, String> + 'static,
    ) -> Recovered {
        let steps = self.steps.get();
        if self.is_exhausted() {
            return Recovered::Exhausted;
        }
        self.steps.set(steps + 1);
        if steps == 1 {
            let credentials = credentials.clone();
            // In a separate task, because the caller may be dropped.
            let renewed = actix_rt::spawn(async move { credentials.renew(&refused, now, ask).await });
            if let Err(reason) = renewed.await.map_err(|e| e.to_string()).flatten() {
                log::warn!("the account tokens could not be refreshed: {reason}");
            }
        }
        if self.repeats { Recovered::AskAgain } else { Recovered::Later }
    }
}
