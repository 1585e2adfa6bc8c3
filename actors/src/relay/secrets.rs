//! Ids, tokens and codes, and the digests under which they are kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::protocol::Secret;

/// Letters of codes for typing: no vowels, so that no words appear, and nothing that looks like something else
/// (RFC 8628 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Letters of a code for typing: 34.5 bits.
const CODE_LETTERS: usize = 8;

/// The first letters, by which a wrong guess is counted against the code that it was aimed at.
const INDEX_LETTERS: usize = 3;

/// Bytes of a random UUID that are not random.
const FIXED: [usize; 2] = [6, 8];

/// A new id, such as `srv_…`: 122 random bits.
pub fn id(prefix: &str) -> String {
    format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes()))
}

/// A new token: 244 random bits.
pub fn token() -> Secret {
    let both = [Uuid::new_v4(), Uuid::new_v4()].map(|half| *half.as_bytes()).concat();
    Secret::from(URL_SAFE_NO_PAD.encode(both).as_str())
}

/// A new token of an account. The account's id stands in front, so that a server can say which account it belongs to.
pub fn account_token(account_id: &str) -> Secret {
    Secret::from(format!("{account_id}.{}", token().expose()).as_str())
}

/// The digest of a token, or of a code in its [`normalized`] form.
pub fn digest(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

/// A new code for typing, as people read it: `BCDF-GHJK`.
pub fn manual_code() -> Secret {
    let mut code = String::with_capacity(CODE_LETTERS + 1);
    let mut letters = 0;
    while letters < CODE_LETTERS {
        let uuid = Uuid::new_v4();
        let random = uuid.as_bytes().iter().enumerate().filter(|(at, _)| !FIXED.contains(at));
        // Larger bytes would make the first letters more frequent.
        let fair = random.map(|(_, byte)| usize::from(*byte)).filter(|byte| *byte < 240);
        for letter in fair.take(CODE_LETTERS - letters) {
            if letters == CODE_LETTERS / 2 {
                code.push('-');
            }
            code.push(char::from(LETTERS[letter % LETTERS.len()]));
            letters += 1;
        }
    }
    Secret::from(code.as_str())
}

/// A code as it was typed, in the form of which digests are made: capital letters without blanks and hyphens. `None` if it
/// cannot be a code.
pub fn normalized(typed: &str) -> Option<String> {
    let kept: String = typed.chars().filter(|it| !matches!(it, '-' | ' ' | '\u{2010}'..='\u{2015}')).collect();
    let code = kept.to_ascii_uppercase();
    (code.len() == CODE_LETTERS && code.bytes().all(|letter| LETTERS.contains(&letter))).then_some(code)
}

/// The first letters of a normalized code.
pub fn index(normalized: &str) -> &str {
    normalized.get(..INDEX_LETTERS).unwrap_or(normalized)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = manual_code();
        let expected = code.expose().replace('-', "");
        for typed in [code.expose().to_owned(), expected.to_lowercase(), format!(" {} ", code.expose())] {
            assert_eq!(normalized(&typed), Some(expected.clone()), "{typed}");
        }
        for wrong in ["", "BCDF-GHJ", "BCDF-GHJKL", "AEIO-UAEI", "BCDF-GHJ0", "ÄCDFGHJK"] {
            assert_eq!(normalized(wrong), None, "{wrong}");
        }
        assert_eq!(index("BCDFGHJK"), "BCD");
    }

    #[test]
    fn every_letter_comes_and_no_code_comes_twice() {
        let codes: Vec<String> = (0..200).map(|_| manual_code().expose().to_owned()).collect();
        assert!(LETTERS.iter().all(|letter| codes.iter().any(|code| code.contains(char::from(*letter)))));
        let mut distinct = codes.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), codes.len());
        assert_ne!(token(), token());
        assert_ne!(id("srv"), id("srv"));
    }
}
