//! Errors for clients when the operating system refuses.

use std::io;

use crate::protocol::RpcError;
use crate::protocol::path::AbsolutePath;

/// -32603 with the path and the reason. The code is the reference program's.
pub fn about(path: &AbsolutePath) -> impl FnOnce(io::Error) -> RpcError {
    move |error| RpcError::internal(format_args!("{path}: {error}"))
}
