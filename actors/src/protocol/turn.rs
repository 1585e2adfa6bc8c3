//! Turns and their items.
