//! Who decides whether a command or a patch of the agent runs: the rules, a person, or nobody.
//!
//! The enemy is a model that was talked into something by a file it read. So the words of a command are read by
//! [`shell`], and three questions are asked of them: is it known to be [`harmless`], is it [`destructive`], and did a
//! person allow it before ([`remembered`])? [`decide`] then follows the thread's policy, to which a person can add for a
//! while ([`grants`]). All of it is pure. It holds nobody back by itself: the kernel does that, in whose sandbox everything
//! runs that nobody allowed to leave it.

pub mod actions;
pub mod amendment;
pub mod decide;
pub mod destructive;
pub mod grants;
pub mod harmless;
pub mod mcp;
pub mod remembered;
pub mod shell;

#[cfg(test)]
mod tests;
