//! What a client may ask, sorted by the actor that answers.

use super::catalog::CatalogRequest;
use super::initialize::InitializeParams;
use super::thread::ThreadRequest;

/// A request whose params have been read.
#[derive(Debug)]
pub enum ClientRequest {
    /// The handshake; answered by the processor itself.
    Initialize(InitializeParams),
    /// Everything about threads and their turns; answered by the threads registry.
    Threads(ThreadRequest),
    /// What clients ask about the server and its user at start-up; answered by the catalog.
    Catalog(CatalogRequest),
}
