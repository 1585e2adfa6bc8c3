//! The user's configuration as clients read it.
