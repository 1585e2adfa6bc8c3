//! The key with which push services recognise this relay (RFC 8292). It signs where a push goes and until when it is good, and
//! nothing else: a push has no content.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

/// How long a signature is good, in seconds; RFC 8292 allows a day.
const LIFE_SECONDS: i64 = 12 * 60 * 60;

/// A key on the curve P-256. Clones share it.
#[derive(Clone)]
pub struct PushKey {
    pair: Arc<EcdsaKeyPair>,
    random: SystemRandom,
}

/// The bytes are no key on the curve P-256 in PKCS #8.
#[derive(Debug, thiserror::Error)]
#[error("it is no private key for ES256 in PKCS #8")]
pub struct NoKey;

impl fmt::Debug for PushKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushKey")
    }
}

impl PushKey {
    /// Reads a key.
    ///
    /// # Errors
    /// It is none.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, NoKey> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &random).map_err(|_| NoKey)?;
        Ok(Self { pair: Arc::new(pair), random })
    }

    /// The public half, as browsers want it.
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key())
    }

    /// The value of `Authorization` for the push service at `origin`, at `now` in Unix seconds. `contact` is for people there.
    pub fn authorization(&self, origin: &str, contact: &str, now: i64) -> Option<String> {
        let mut claims = json!({"aud": origin, "exp": now.saturating_add(LIFE_SECONDS)});
        if !contact.is_empty() {
            claims["sub"] = contact.into();
        }
        let encoded = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encoded(&json!({"typ": "JWT", "alg": "ES256"})), encoded(&claims));
        let signature = self.pair.sign(&self.random, signed.as_bytes()).ok()?;
        Some(format!("vapid t={signed}.{}, k={}", URL_SAFE_NO_PAD.encode(signature), self.public()))
    }
}
