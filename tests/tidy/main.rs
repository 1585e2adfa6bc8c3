//! Holds the tree to its own rules: pages whose links work, laws whose tests exist, files of a readable size.

#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "tests know what they open")]

mod imports;
mod pages;
mod sizes;
mod test_names;
mod tree;
mod warnings;
