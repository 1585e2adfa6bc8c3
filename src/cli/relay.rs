//! The subcommand `relay` and its actions.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::listen::{PublicUrl, RelayAddress};

/// `relay`, alone or with an action.
#[derive(Debug, Args)]
pub struct RelayArguments {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub action: Option<RelayAction>,

    /// Where to listen: `http://IP:PORT`, or `https://IP:PORT` with a certificate.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8390")]
    pub listen: RelayAddress,

    /// How machines and phones reach this relay, if a proxy with TLS stands in front of it.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// Certificate chain in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of the certificate in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

/// An action on what a relay keeps.
#[derive(Debug, Subcommand)]
pub enum RelayAction {
    /// Makes, lists and removes the tokens with which machines enroll.
    Token {
        /// What to do.
        #[command(subcommand)]
        action: TokenAction,
    },

    /// Makes the key with which this relay tells phones that are away when a machine waits for a person (Web Push).
    ///
    /// Without it no phone is told. A push has no content; push services learn of its time and its phone.
    PushKeys,

    /// Prints whether a relay is running, where it listens, until when its certificate is good, and which machines and devices
    /// it knows. Exits with 69 if none is running.
    Status {
        /// Prints one JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
}

/// An action on tokens.
#[derive(Debug, Subcommand)]
pub enum TokenAction {
    /// Prints a new token of the account NAME, once. Only its digest is kept.
    ///
    /// Machines of one account see nothing of another one. A second token of an account is another way into the same one.
    Add {
        /// Name of the account, such as a person or a team.
        name: String,
    },

    /// Lists the accounts.
    List,

    /// Removes the account NAME with its tokens, machines and pairings. A running relay cuts them within seconds.
    Remove {
        /// Name of the account.
        name: String,
    },
}
