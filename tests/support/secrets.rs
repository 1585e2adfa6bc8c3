//! The secrets of this suite. Whatever a server says on stderr, none of them may be in it: every [`super::process`] is
//! searched for all of them when it ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::home::Home;

static USED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Remembers `secret` as one that no server may ever show.
pub fn used(secret: &str) -> String {
    let mut used = USED.lock().expect("nobody panicked with the list");
    if !used.iter().any(|known| known == secret) {
        used.push(secret.to_owned());
    }
    secret.to_owned()
}

/// Asserts that no secret of the suite is in `text`.
pub fn assert_none_in(text: &str) {
    let used = USED.lock().expect("nobody panicked with the list").clone();
    for secret in used {
        assert!(!text.contains(&secret), "a server has shown the secret {secret:?}:\n{text}");
    }
}

/// A private file in `home` with `secret` in it.
pub fn file(home: &Home, name: &str, secret: &str) -> PathBuf {
    let path = home.join(name);
    fs::write(&path, format!("{}\n", used(secret))).expect("the secret is written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    path
}

/// The SHA-256 digest of `secret` in hex.
pub fn sha256_hex(secret: &str) -> String {
    Sha256::digest(used(secret)).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A JWT signed with HS256.
pub fn jwt(secret: &str, claims: &Value) -> String {
    jwt_of(secret, r#"{"alg":"HS256","typ":"JWT"}"#, &claims.to_string())
}

/// The same with any header and any claims.
pub fn jwt_of(secret: &str, header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(hmac_sha256(secret.as_bytes(), message.as_bytes()));
    used(&signature);
    format!("{message}.{signature}")
}

/// Seconds since the Unix epoch.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set");
    i64::try_from(since.as_secs()).expect("this century")
}

/// RFC 2104, for keys that are not longer than a block.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    assert!(key.len() <= 64, "the secrets of this suite are short");
    let pad = |with: u8| (0..64).map(|at| key.get(at).unwrap_or(&0) ^ with).collect::<Vec<u8>>();
    let inner = Sha256::digest([&pad(0x36), message].concat());
    Sha256::digest([&pad(0x5c)[..], &inner].concat()).into()
}
