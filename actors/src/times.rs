//! Times as servers write them: RFC 3339, and the `Retry-After` header.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// A period in which something is not tried. It also ends when the clock is set back to before its beginning, because
/// the end was then computed on a wrong clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// Milliseconds since the Unix epoch.
    pub since_ms: i64,
    /// Milliseconds since the Unix epoch; the first moment after the period.
    pub until_ms: i64,
}

impl Rest {
    /// Whether `now_ms` is in the period.
    pub fn lasts(self, now_ms: i64) -> bool {
        (self.since_ms..self.until_ms).contains(&now_ms)
    }
}

/// Parses RFC 3339 text into milliseconds since the Unix epoch.
///
/// # Errors
/// The text is not a time; in the parser's words.
pub fn parse(text: &str) -> Result<i64, String> {
    text.parse::<Timestamp>().map(Timestamp::as_millisecond).map_err(|e| e.to_string())
}

/// Formats milliseconds since the Unix epoch as RFC 3339 text in whole seconds.
pub fn show(unix_ms: i64) -> String {
    Timestamp::from_second(unix_ms.div_euclid(1000)).map_or_else(|_| unix_ms.to_string(), |time| time.to_string())
}

/// The time of a `Retry-After` (RFC 9110 10.2.3), in milliseconds since the Unix epoch. `None` if it has passed or is
/// invalid.
pub fn retry_after(header: &str, now_ms: i64) -> Option<i64> {
    let header = header.trim();
    if header.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds: i64 = header.parse().ok()?;
        return now_ms.checked_add(seconds.checked_mul(1000)?);
    }
    date(header).filter(|at| *at > now_ms)
}

/// The time of a `Date` (RFC 9110 6.6.1), in milliseconds since the Unix epoch. `None` if it is invalid.
pub fn date(header: &str) -> Option<i64> {
    let since: Duration = httpdate::parse_http_date(header).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_any_offset() {
        assert_eq!(parse("1970-01-01T00:00:01Z"), Ok(1000));
        assert_eq!(parse("1970-01-01T01:00:01.5+01:00"), Ok(1500));
        assert!(parse("tomorrow").is_err());
        assert!(parse("1234").is_err());
        assert_eq!(show(1500), "1970-01-01T00:00:01Z");
    }

    #[test]
    fn a_rest_ends_at_its_time_and_when_the_clock_is_set_back() {
        let rest = Rest { since_ms: 1000, until_ms: 2000 };
        assert!(rest.lasts(1000) && rest.lasts(1999));
        assert!(!rest.lasts(2000) && !rest.lasts(999));
        assert!(!Rest::default().lasts(0));
    }

    #[test]
    fn both_forms_of_retry_after_are_taken() {
        assert_eq!(retry_after(" 2 ", 1000), Some(3000));
        assert_eq!(retry_after("0", 1000), Some(1000));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 1000), Some(60_000));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 61_000), None, "it has passed");
        for nothing in ["", "soon", "-1", "99999999999999999999"] {
            assert_eq!(retry_after(nothing, 1000), None, "{nothing}");
        }
    }
}
