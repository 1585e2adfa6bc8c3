//! Rate limits in the headers of an answer: `x-codex-primary-used-percent` and its kin are of the main limit,
//! `x-codex-NAME-primary-used-percent` of another one.

use awc::http::header::HeaderMap;

use crate::protocol::account::{CreditsSnapshot, RateLimitSnapshot, RateLimitWindow};

/// What every such name begins with, and the id of the main limit.
const MAIN: &str = "x-codex";

/// How the name ends by which a limit is recognised.
const SIGN: &str = "-primary-used-percent";

/// Limits that one answer may state.
const MOST: usize = 8;

/// Bytes of a name or a balance; a longer one does not count.
const LONGEST_TEXT: usize = 128;

/// The limits that an answer states.
pub fn rate_limits(headers: &HeaderMap) -> Vec<RateLimitSnapshot> {
    let families = headers.keys().filter_map(|name| name.as_str().strip_suffix(SIGN));
    let mut families: Vec<&str> = families.filter(|family| family.starts_with(MAIN)).collect();
    families.sort_unstable();
    families.dedup();
    families.into_iter().take(MOST).map(|family| snapshot(headers, family)).collect()
}

fn snapshot(headers: &HeaderMap, family: &str) -> RateLimitSnapshot {
    let value = |name: &str| headers.get(format!("{family}-{name}"))?.to_str().ok().map(str::trim);
    let main = |name: &str| headers.get(format!("{MAIN}-{name}"))?.to_str().ok().map(str::trim);
    let text = |text: &str| (!text.is_empty() && text.len() <= LONGEST_TEXT).then(|| text.to_owned());
    let window = |kind: &str| {
        let used: f64 = value(&format!("{kind}-used-percent"))?.parse().ok().filter(|used: &f64| used.is_finite())?;
        let number = |name: &str| value(&format!("{kind}-{name}"))?.parse::<i64>().ok();
        let (minutes, resets_at) = (number("window-minutes").filter(|minutes| *minutes > 0), number("reset-at"));
        // A window of no length and no use says nothing.
        let says_something = used != 0.0 || minutes.is_some() || resets_at.is_some();
        // Saturates, so the largest number means "more than fits".
        let used_percent = used.round() as i32;
        says_something.then_some(RateLimitWindow { used_percent, window_duration_mins: minutes, resets_at })
    };
    let truth = |name: &str| main(name).map(|truth| truth.eq_ignore_ascii_case("true") || truth == "1");
    let credits = truth("credits-has-credits").map(|has_credits| CreditsSnapshot {
        has_credits,
        unlimited: truth("credits-unlimited").unwrap_or_default(),
        balance: main("credits-balance").and_then(text),
    });
    RateLimitSnapshot {
        limit_id: text(&family.trim_start_matches("x-").replace('-', "_")),
        limit_name: value("limit-name").and_then(text),
        primary: window("primary"),
        secondary: window("secondary"),
        credits,
        ..RateLimitSnapshot::default()
    }
}

#[cfg(test)]
mod tests {
    use awc::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn stated(headers: &[(&'static str, &'static str)]) -> Vec<RateLimitSnapshot> {
        let pairs =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        rate_limits(&pairs.collect())
    }

    #[test]
    fn an_answer_states_its_limits_in_headers() {
        let [main, other] = &stated(&[
            ("x-codex-primary-used-percent", "12.7"),
            ("x-codex-primary-window-minutes", "300"),
            ("x-codex-primary-reset-at", "1796009999"),
            ("x-codex-secondary-used-percent", "0"),
            ("x-codex-credits-has-credits", "true"),
            ("x-codex-credits-balance", "9.99"),
            ("x-codex-other-primary-used-percent", "7"),
            ("x-codex-other-limit-name", "Other"),
        ])[..] else {
            panic!("two limits")
        };
        let window = RateLimitWindow { used_percent: 13, window_duration_mins: Some(300), resets_at: Some(1796009999) };
        assert_eq!((main.limit_id.as_deref(), main.primary, main.secondary), (Some("codex"), Some(window), None));
        let credits = main.credits.as_ref().unwrap();
        assert_eq!((credits.has_credits, credits.unlimited, credits.balance.as_deref()), (true, false, Some("9.99")));
        assert_eq!((other.limit_id.as_deref(), other.limit_name.as_deref()), (Some("codex_other"), Some("Other")));
    }

    #[test]
    fn what_is_no_number_is_not_known_and_without_a_sign_there_is_no_limit() {
        assert_eq!(stated(&[("x-codex-plan-type", "plus"), ("x-ratelimit-limit", "5")]), []);
        for used in ["abc", "NaN", "inf"] {
            assert_eq!(stated(&[("x-codex-primary-used-percent", used)])[0].primary, None);
        }
        let huge = stated(&[("x-codex-primary-used-percent", "1e300")]);
        assert_eq!(huge[0].primary.unwrap().used_percent, i32::MAX);
    }
}
