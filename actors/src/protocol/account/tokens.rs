//! Messages of the token endpoint.

use serde::{Deserialize, Serialize};

use crate::protocol::Secret;

/// `POST /oauth/token`: requests new tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenRequest {
    /// The OAuth client that the user signed in to.
    pub client_id: String,
    /// Always `refresh_token`.
    pub grant_type: String,
    /// The refresh token, which this request uses up.
    pub refresh_token: Secret,
    /// Why new tokens are wanted.
    pub refresh_reason: String,
}

/// The answer to a [`TokenRequest`]. A token that is absent stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // As in `auth.json`.
pub struct TokenResponse {
    pub id_token: Option<Secret>,
    pub access_token: Option<Secret>,
    pub refresh_token: Option<Secret>,
}
