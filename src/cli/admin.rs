//! The flags of the admin listener.

use std::path::PathBuf;

use clap::Args;

use crate::listen::AdminUrl;

/// `--admin` and its tokens. No flag takes a secret itself, because other users can read the command line.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Admin listener")]
pub struct AdminArguments {
    /// Where operators look: `http://IP:PORT` or `unix://PATH`. Serves /metrics, /healthz, /readyz and a page.
    #[arg(long, value_name = "URL", value_parser = AdminUrl::parse_here)]
    pub admin: Option<AdminUrl>,

    /// File with a token for it, repeatable; required for addresses that other machines can reach.
    ///
    /// SCOPES are the rights of those who have this token, separated by commas: `observe` may look, `admin` may also cut
    /// clients, interrupt turns and revoke phones. Without SCOPES they have both.
    #[arg(long, value_name = "[SCOPES:]PATH", requires = "admin")]
    pub admin_token_file: Vec<PathBuf>,
}
