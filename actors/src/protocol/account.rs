//! Accounts: who is signed in.
