//! JWTs signed with a shared secret (RFC 7519, with the rules of RFC 8725).

use std::{collections::BTreeMap, fmt, path::Path};

use app_server_actors::protocol::scope::Scopes;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, Visitor},
};

use super::{AuthError, Denial, ExpectedClaims, Pass, hs256};

/// Shortest shared secret, in bytes: the length of the signature (RFC 7518 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// No time with a fraction is further from the Unix epoch: up to here the fraction is exact.
const MOST_SECONDS: f64 = 9_007_199_254_740_992.0;

/// Verifies JWTs.
pub struct JwtVerifier {
    key: DecodingKey,
    signature_only: Validation,
    expected: ExpectedClaims,
    default_scopes: Scopes,
}

/// The claims that are checked. `extra` makes serde reject arrays, which it would otherwise accept.
#[derive(Deserialize)]
struct Claims {
    exp: NumericDate,
    nbf: Option<NumericDate>,
    iss: Option<String>,
    aud: Option<Audience>,
    scope: Option<ScopeClaim>,
    #[serde(flatten)]
    _extra: BTreeMap<String, IgnoredAny>,
}

/// Seconds since the Unix epoch, which may have a fraction (RFC 7519 section 2).
#[derive(Clone, Copy)]
enum NumericDate {
    Whole(i64),
    Fraction(f64),
}

impl NumericDate {
    /// The last whole second up to it.
    fn floor(self) -> i64 {
        match self {
            Self::Whole(seconds) => seconds,
            Self::Fraction(seconds) => seconds.floor() as i64,
        }
    }

    /// The first whole second from it on.
    fn ceil(self) -> i64 {
        match self {
            Self::Whole(seconds) => seconds,
            Self::Fraction(seconds) => seconds.ceil() as i64,
        }
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumericDateVisitor)
    }
}

struct NumericDateVisitor;

impl Visitor<'_> for NumericDateVisitor {
    type Value = NumericDate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds")
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<NumericDate, E> {
        Ok(NumericDate::Whole(seconds))
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<NumericDate, E> {
        i64::try_from(seconds).map(NumericDate::Whole).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<NumericDate, E> {
        // Any time that a clock may show fits many times over.
        let fits = seconds.is_finite() && seconds.abs() < MOST_SECONDS;
        fits.then_some(NumericDate::Fraction(seconds)).ok_or_else(|| E::custom("out of range"))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Names with spaces between them (RFC 8693 section 4.2), or a list of names as some services write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum ScopeClaim {
    Text(String),
    List(Vec<String>),
}

impl ScopeClaim {
    fn scopes(self) -> Scopes {
        match self {
            Self::Text(text) => Scopes::from_claim(&text),
            Self::List(names) => Scopes::from_claim(&names.join(" ")),
        }
    }
}

impl Audience {
    fn includes(&self, wanted: &str) -> bool {
        match self {
            Self::One(audience) => audience == wanted,
            Self::Many(audiences) => audiences.iter().any(|audience| audience == wanted),
        }
    }
}

impl JwtVerifier {
    /// Creates a verifier with the `secret` that was read from `path`. A token without the claim `scope` gets
    /// `default_scopes`.
    ///
    /// # Errors
    /// The secret is shorter than 32 bytes.
    pub fn new(
        secret: &SecretString,
        path: &Path,
        expected: ExpectedClaims,
        default_scopes: Scopes,
    ) -> Result<Self, AuthError> {
        let secret = secret.expose_secret().as_bytes();
        if secret.len() < MIN_SECRET_BYTES {
            return Err(AuthError::ShortSecret(path.to_owned()));
        }
        hs256::install();
        // The claims are checked here instead of in the library: with the injected clock, in the reference program's
        // order, and without accepting a token that lacks the required `iss` or `aud`.
        let mut signature_only = Validation::new(Algorithm::HS256);
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        Ok(Self { key: DecodingKey::from_secret(secret), signature_only, expected, default_scopes })
    }

    /// Verifies `token` at `now`, in seconds since the Unix epoch: signature and form, `exp`, `nbf`, `iss`, `aud`.
    pub fn judge(&self, token: &str, now: i64) -> Result<Pass, Denial> {
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.key, &self.signature_only);
        let decoded = decoded.map_err(|_| Denial::BadJwt)?;
        if decoded.header.crit.is_some() {
            // `crit` lists extensions that the verifier must understand (RFC 7515 4.1.11); none are supported here.
            return Err(Denial::BadJwt);
        }
        let Claims { exp, nbf, iss, aud, scope, .. } = decoded.claims;
        let ExpectedClaims { issuer, audience, skew_seconds } = &self.expected;

        let valid_until = exp.floor().saturating_add(*skew_seconds);
        if now > valid_until {
            Err(Denial::Expired)
        } else if nbf.is_some_and(|nbf| now < nbf.ceil().saturating_sub(*skew_seconds)) {
            Err(Denial::NotYetValid)
        } else if issuer.is_some() && *issuer != iss {
            Err(Denial::OtherIssuer)
        } else if audience.as_ref().is_some_and(|wanted| !aud.is_some_and(|aud| aud.includes(wanted))) {
            Err(Denial::OtherAudience)
        } else {
            let scopes = scope.map_or(self.default_scopes, ScopeClaim::scopes);
            Ok(Pass { scopes, valid_until: Some(valid_until) })
        }
    }
}

#[cfg(test)]
mod tests;
