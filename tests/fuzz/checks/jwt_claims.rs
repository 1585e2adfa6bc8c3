use std::path::Path;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use codex_app_server::auth::{Denial, ExpectedClaims, hs256::hmac_sha256, jwt::JwtVerifier};
use codex_app_server::protocol::scope::Scopes;
use serde_json::{Map, Value};

const SECRET: &str = "a secret that fuzzing knows as well";
const NOW: i64 = 1_800_000_000;
const SKEW: i64 = 30;

static VERIFIER: LazyLock<JwtVerifier> = LazyLock::new(|| {
    let expected =
        ExpectedClaims { issuer: Some("us".to_owned()), audience: Some("app".to_owned()), skew_seconds: SKEW };
    JwtVerifier::new(&SECRET.into(), Path::new("secret"), expected, Scopes::ALL).expect("the secret is long enough")
});

/// Any claims that are signed let in exactly those who may come in, and nothing that is not signed lets anybody in.
pub fn jwt_claims(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(VERIFIER.judge(text, NOW).err(), Some(Denial::BadJwt), "nobody has signed {text}");
    }
    match VERIFIER.judge(&signed(bytes), NOW) {
        Ok(_) => assert_eq!(judged_simply(bytes), Ok(())),
        // Claims that are there twice are refused; the simple judge takes the last.
        Err(Denial::BadJwt) => {}
        Err(denial) => assert_eq!(judged_simply(bytes), Err(denial)),
    }
}

fn signed(claims: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode(claims));
    let signature = hmac_sha256(SECRET.as_bytes(), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The rules again, member by member.
fn judged_simply(claims: &[u8]) -> Result<(), Denial> {
    let Ok(Value::Object(claims)) = serde_json::from_slice(claims) else { return Err(Denial::BadJwt) };
    let exp = seconds(&claims, "exp", f64::floor).ok_or(Denial::BadJwt)?;
    let says = |name: &str, wanted: &str| match claims.get(name) {
        Some(Value::Array(several)) => several.iter().any(|one| one == wanted),
        Some(one) => one == wanted,
        None => false,
    };
    if i128::from(NOW) > i128::from(exp) + i128::from(SKEW) {
        Err(Denial::Expired)
    } else if seconds(&claims, "nbf", f64::ceil).is_some_and(|nbf| i128::from(NOW) < i128::from(nbf) - i128::from(SKEW))
    {
        Err(Denial::NotYetValid)
    } else if !says("iss", "us") {
        Err(Denial::OtherIssuer)
    } else if !says("aud", "app") {
        Err(Denial::OtherAudience)
    } else {
        Ok(())
    }
}

/// A time in whole seconds: it may have a fraction.
fn seconds(claims: &Map<String, Value>, name: &str, round: fn(f64) -> f64) -> Option<i64> {
    let value = claims.get(name)?;
    value.as_i64().or_else(|| value.as_f64().map(|seconds| round(seconds) as i64))
}
