//! What must hold of any input, however hostile. Each function takes what a fuzzer or a generator makes of bytes, and
//! panics when a promise is broken.

#![allow(dead_code, reason = "each fuzz target includes all of them and runs one")]

mod auth_header;
mod continuation_reassembly;
mod jsonrpc_message;
mod jwt_claims;
mod listen_url;
mod model_stream;
mod patch_text;

use std::sync::LazyLock;

use app_server_actors::limits::Limits;
use codex_app_server::settings::Effective;

pub use auth_header::auth_header;
pub use continuation_reassembly::{Part, continuation_reassembly, reassembles};
pub use jsonrpc_message::jsonrpc_message;
pub use jwt_claims::jwt_claims;
pub use listen_url::listen_url;
pub use model_stream::model_stream;
pub use patch_text::patch_text;

/// The limits of a server without settings of its own.
static LIMITS: LazyLock<Limits> =
    LazyLock::new(|| Effective::built_in().and_then(|settings| settings.settings()).expect("they are built in").limits);
