//! A mark in schemas that only this program reads.

/// Marks members of results that are only published with `--experimental`.
pub const EXPERIMENTAL: &str = "x-experimental";
