//! The `Authorization` header (RFC 6750 2.1). Tokens in a query or a subprotocol are not accepted, because both end up
//! in the logs of other programs.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use super::Denial;

/// Longest token, in bytes. JWTs have some hundred; longer ones only keep the server busy.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The token of a request.
///
/// # Errors
/// [`Denial::Missing`] without the header, [`Denial::BadHeader`] if there are two or it is not `Bearer TOKEN`.
pub fn token(headers: &HeaderMap) -> Result<&str, Denial> {
    let mut values = headers.get_all(AUTHORIZATION);
    let value = values.next().ok_or(Denial::Missing)?;
    if values.next().is_some() {
        // The reference program takes the first one. A proxy in front may have judged the other one.
        return Err(Denial::BadHeader);
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Denial::BadHeader)?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && (1..=MAX_TOKEN_BYTES).contains(&token.len()) {
        Ok(token)
    } else {
        Err(Denial::BadHeader)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn judge(values: &[&[u8]]) -> Result<String, Denial> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        token(&headers).map(str::to_owned)
    }

    #[test]
    fn the_scheme_is_read_in_any_case_and_the_token_trimmed() {
        for value in ["Bearer abc", "bearer abc", "BEARER abc", "Bearer   abc  ", "Bearer \tabc"] {
            assert_eq!(judge(&[value.as_bytes()]).as_deref(), Ok("abc"), "{value}");
        }
        assert_eq!(judge(&[b"Bearer a b"]).as_deref(), Ok("a b"));
    }

    #[test]
    fn anything_else_is_an_invalid_header() {
        assert_eq!(judge(&[]), Err(Denial::Missing));
        let values: [&[u8]; 11] = [
            b"",
            b" ",
            b"abc",
            b"Bearer",
            b"Bearer ",
            b"Bearer   ",
            b"Bearer\tabc",
            b"Basic abc",
            b"Bearer: abc",
            "Bearer gehöim".as_bytes(),
            b" Bearer abc",
        ];
        for value in values {
            assert_eq!(judge(&[value]), Err(Denial::BadHeader), "{value:?}");
        }
    }

    #[test]
    fn two_headers_are_refused_even_when_they_say_the_same() {
        assert_eq!(judge(&[b"Bearer abc", b"Bearer abc"]), Err(Denial::BadHeader));
    }

    #[test]
    fn a_token_has_at_most_8_kib() {
        let value = |bytes: usize| format!("Bearer {}", "x".repeat(bytes));
        assert!(judge(&[value(8192).as_bytes()]).is_ok());
        assert_eq!(judge(&[value(8193).as_bytes()]), Err(Denial::BadHeader));
    }
}
