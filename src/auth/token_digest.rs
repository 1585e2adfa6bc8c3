//! The capability token of clients; only its digest is kept.

use std::fmt;

use constant_time_eq::constant_time_eq_32;
use sha2::{Digest as _, Sha256};

/// The SHA-256 digest of a token.
#[derive(Clone, Copy)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Computes the digest of `token`.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Parses 64 hex digits, with or without surrounding white space.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digits: Option<Vec<u8>> =
            hex.trim().chars().map(|digit| digit.to_digit(16).and_then(|value| value.try_into().ok())).collect();
        let digits = digits.filter(|digits| digits.len() == 64)?;
        Some(Self(std::array::from_fn(|at| digits[2 * at] << 4 | digits[2 * at + 1])))
    }

    /// Whether `token` has this digest. Comparing digests takes constant time, so it reveals nothing about the token.
    pub fn is_of(&self, token: &str) -> bool {
        constant_time_eq_32(&self.0, &Self::of(token).0)
    }
}

/// Shows nothing, because a weak token can be found from its digest.
impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_token_and_no_other() {
        let digest = TokenDigest::of("correct horse");
        assert!(digest.is_of("correct horse"));
        for other in ["correct horsf", "correct hors", "Correct horse", ""] {
            assert!(!digest.is_of(other), "{other}");
        }
    }

    #[test]
    fn hex_means_the_same_in_either_case() {
        // `printf abc | sha256sum`
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(TokenDigest::from_hex(hex).unwrap().is_of("abc"));
        assert!(TokenDigest::from_hex(&format!("\t{} ", hex.to_uppercase())).unwrap().is_of("abc"));
        for wrong in ["", "beef", &hex[1..], &format!("{hex}0"), &hex.replace('b', "x"), &hex.replace('b', "é")] {
            assert!(TokenDigest::from_hex(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", TokenDigest::of("abc")), "TokenDigest");
    }
}
