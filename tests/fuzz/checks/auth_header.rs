use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use codex_app_server::auth::{Denial, bearer};

/// Any `Authorization` headers, one a line, hold exactly one token that means the same when it is sent again, or are
/// refused.
pub fn auth_header(bytes: &[u8]) {
    let values = bytes.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let values: Vec<HeaderValue> = values.collect();
    let headers = |values: &[HeaderValue]| {
        let mut headers = HeaderMap::new();
        values.iter().for_each(|value| headers.append(AUTHORIZATION, value.clone()));
        headers
    };
    match bearer::token(&headers(&values)) {
        Ok(token) => {
            assert_eq!(values.len(), 1, "whoever is in front of us may have judged by another one");
            assert!((1..=8192).contains(&token.len()) && token == token.trim());
            let scheme = values[0].as_bytes()[..7].to_ascii_lowercase();
            assert_eq!(scheme, b"bearer ", "{values:?}");
            let again = HeaderValue::from_str(&format!("Bearer {token}")).expect("a token is one header value");
            assert_eq!(bearer::token(&headers(&[again])), Ok(token));
        }
        Err(denial) => {
            let expected = if values.is_empty() { Denial::Missing } else { Denial::BadHeader };
            assert_eq!(denial, expected, "{values:?}");
        }
    }
}
