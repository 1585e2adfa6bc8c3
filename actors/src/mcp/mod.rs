//! MCP servers: programs and services that offer tools to the agent.
//!
//! **Whose.** Each loaded thread has servers of its own, because they work in its folder and answer to its person. They start
//! with the first turn of the thread, or when a client asks for them, and end when it is unloaded. The reference program
//! starts them with the thread; a thousand threads that are only read would then be thousands of processes.
//!
//! **The first turn** waits for them, but no longer than `turns.mcp_wait_milliseconds`: a model that does not know of its
//! tools answers that it cannot help, and one server that hangs must not stop everybody. What is ready later comes with
//! the next request to the model. A server that has failed before is started again beside the turn, which does not wait.
//! A `required` server is waited for as long as its own time allows, and the turn fails without it.
//!
//! **One that ends** costs the calls that it works on. The next call or turn starts it again, after a rest that grows
//! with each failure in a row.
//!
//! **Only the user names them.** Nothing confines them, so a project's own `config.toml` cannot add one (law 11). They
//! inherit what [`program`] lists and what their configuration adds, so no key of a model provider.
//!
//! **Apart.** They share a thread of their own with the code that reads them: one that floods takes what it can get there,
//! and neither clients nor turns notice.
//!
//! ```text
//! turn, client ──▶ Servers (one per thread) ──▶ Server (actor) ──▶ rmcp ──▶ program | http
//!      ◀── progress, questions ── calls ◀──────────────────────────┘
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | [`servers`] | the servers of one thread |
//! | [`server`], [`messages`] | the actor of one server |
//! | [`connect`] | its start |
//! | [`program`], [`http`], [`incoming`] | the two ways to a server; what it says, as messages |
//! | [`calls`] | what it says while it works on a call |
//! | [`catalogue`] | what it offers, with the names that models take |
//! | [`standing`], [`view`] | how it is, for everybody and for clients |
//! | [`config`], [`setup`], [`limits`] | what the user says of it; what all of them work with; their bounds |
//! | [`check`] | what stands in its way, for whoever looks for a fault |

mod calls;
mod catalogue;
mod check;
mod config;
mod connect;
mod http;
mod incoming;
mod limits;
mod messages;
mod program;
mod server;
mod servers;
mod setup;
mod standing;
mod view;

pub use calls::CallEvent;
pub use catalogue::Offered;
pub use config::ServerConfig;
pub use limits::McpLimits;
pub use messages::CallFault;
pub(crate) use servers::Shown;
pub use servers::{Configured, Servers};
pub use setup::McpSetup;
pub(crate) use view::status;
