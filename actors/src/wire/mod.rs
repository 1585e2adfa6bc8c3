//! Framing: bytes to messages and back, without actors and sockets. Shared by the server, the link to the backend, and
//! the client subcommands.
//!
//! | file | what it is |
//! |---|---|
//! | [`lines`] | one JSON message a line |
//! | [`handshake`] | the upgrade of HTTP to a WebSocket, as a client makes it |
//! | [`header`] | headers of WebSocket frames, and their masks |
//! | [`reader`] | from bytes to WebSocket messages |
//! | [`close`] | why a connection is closed: the table of close codes |

pub mod close;
pub mod handshake;
mod header;
pub mod lines;
pub mod reader;

pub(crate) use header::write_text_header;
