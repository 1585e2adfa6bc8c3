//! Scopes in rows.

use crate::protocol::scope::Scopes;

/// Scopes as they stand in a row: names with commas between them.
pub fn written(scopes: Scopes) -> String {
    scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(",")
}

/// What a row says. A row that says nothing gives no right.
pub fn read(scopes: &str) -> Scopes {
    Scopes::from_list(scopes).unwrap_or(Scopes::NONE)
}
