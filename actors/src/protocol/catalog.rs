//! What clients ask about the server and its user at start-up.

/// Requests that the catalog answers; the variant is named after the method.
#[derive(Debug)]
pub enum CatalogRequest {}
