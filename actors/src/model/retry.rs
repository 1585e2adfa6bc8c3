//! Whether and when to retry. Pure; the only retry layer of requests to models.

use std::time::Duration;

use super::failure::{ModelFailure, Retry};
use super::provider::Provider;
use super::settings::ModelSettings;

/// Maximum number of doublings; beyond it every wait is at its bound.
const MOST_DOUBLINGS: u32 = 20;

/// The failures of a request so far.
#[derive(Debug)]
pub struct Retries {
    first: Duration,
    most: Duration,
    within: Duration,
    done: u32,
    renewed: bool,
    last: Option<String>,
}

/// The consequence of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The failure is final.
    Fail,
    /// Retry at once with new credentials.
    Renew,
    /// Retry after a wait.
    Retry {
        /// The number of the retry, counted from 1.
        attempt: u32,
        /// Maximum number of retries.
        of: u32,
        /// The wait.
        after: Duration,
    },
}

impl Retries {
    /// Creates the state without failures.
    pub fn new(settings: &ModelSettings) -> Self {
        Self {
            first: settings.retry_first_milliseconds.duration(),
            most: settings.retry_most_milliseconds.duration(),
            within: settings.retry_seconds.duration(),
            done: 0,
            renewed: false,
            last: None,
        }
    }

    /// Counts a failure. `begun` is whether an answer had begun, `since` the time since the first failure; `random` is
    /// at least 0 and below 1.
    pub fn next(
        &mut self,
        failure: &ModelFailure,
        provider: &Provider,
        begun: bool,
        since: Duration,
        random: f64,
    ) -> Next {
        let repeated = self.last.replace(failure.message.clone()).is_some_and(|last| last == failure.message);
        let asked = match failure.retry {
            Retry::Never => return Next::Fail,
            Retry::WithNewToken if self.renewed => return Next::Fail,
            Retry::WithNewToken => {
                self.renewed = true;
                return Next::Renew;
            }
            Retry::UnlessRepeated if repeated => return Next::Fail,
            Retry::UnlessRepeated | Retry::Later => None,
            Retry::After(wait) => Some(wait),
        };
        let of = if begun { provider.stream_retries() } else { provider.request_retries() };
        let window = self.first.saturating_mul(1 << self.done.min(MOST_DOUBLINGS)).min(self.most);
        let random = random.clamp(0.0, 1.0);
        // A time given by the provider is respected, with a random addition so that clients do not all retry at the
        // same moment.
        let after = match asked {
            Some(asked) => asked.saturating_add(self.first.mul_f64(random / 2.0)),
            None => window.mul_f64(0.5 + random / 2.0),
        };
        if self.done >= of || since.saturating_add(after) > self.within {
            return Next::Fail;
        }
        self.done += 1;
        Next::Retry { attempt: self.done, of, after }
    }
}

#[cfg(test)]
mod tests {
    use awc::http::StatusCode;

    use super::super::failure::Refusal;
    use super::super::fault::StreamFault;
    use super::*;
    use crate::limits::{Milliseconds, Seconds};

    fn provider(text: &str) -> Provider {
        toml::from_str(text).unwrap()
    }

    fn refused(status: u16, retry_after: Option<u64>) -> ModelFailure {
        let status = StatusCode::from_u16(status).unwrap();
        let retry_after = retry_after.map(Duration::from_secs);
        let refusal = Refusal { status, retry_after, body: b"{\"error\":{\"message\":\"m\"}}" };
        ModelFailure::refused(&Provider::default(), "http://h/v1/responses", &refusal)
    }

    fn broken() -> ModelFailure {
        ModelFailure::of_stream(&Provider::default(), StreamFault::Broken)
    }

    fn retries() -> Retries {
        let settings = ModelSettings {
            retry_first_milliseconds: Milliseconds(1000),
            retry_most_milliseconds: Milliseconds(4000),
            retry_seconds: Seconds(60),
            ..ModelSettings::tiny()
        };
        Retries::new(&settings)
    }

    #[test]
    fn waits_double_up_to_their_bound_and_half_of_each_is_random() {
        for (random, expected) in [(0.0, [500, 1000, 2000, 2000, 2000]), (1.0, [1000, 2000, 4000, 4000, 4000])] {
            let mut retries = retries();
            let provider = provider("stream_max_retries = 5");
            let next = |_| match retries.next(&broken(), &provider, true, Duration::ZERO, random) {
                Next::Retry { after, of: 5, .. } => after.as_millis(),
                other => panic!("{other:?}"),
            };
            assert_eq!([0; 5].map(next), expected);
            assert_eq!(retries.next(&broken(), &provider, true, Duration::ZERO, random), Next::Fail);
        }
    }

    #[test]
    fn retries_are_bounded_in_number_and_time_whatever_the_phase() {
        let provider = provider("request_max_retries = 1\nstream_max_retries = 2");
        let mut some = retries();
        let next = |retries: &mut Retries, begun| match retries.next(&broken(), &provider, begun, Duration::ZERO, 0.0) {
            Next::Retry { attempt, of, .. } => (attempt, of),
            _ => (0, 0),
        };
        assert_eq!(next(&mut some, false), (1, 1));
        assert_eq!(next(&mut some, true), (2, 2));
        assert_eq!(next(&mut some, true), (0, 0));
        assert_eq!(next(&mut some, false), (0, 0));
        let late = retries().next(&broken(), &provider, true, Duration::from_secs(60), 0.0);
        assert_eq!(late, Next::Fail);
    }

    #[test]
    fn a_provider_that_says_when_is_asked_then() {
        let provider = provider("");
        let next = |seconds| retries().next(&refused(429, Some(seconds)), &provider, false, Duration::ZERO, 0.0);
        assert_eq!(next(2), Next::Retry { attempt: 1, of: 4, after: Duration::from_secs(2) });
        assert_eq!(next(61), Next::Fail);
        assert_eq!(next(u64::MAX), Next::Fail);
    }

    #[test]
    fn a_refused_key_is_tried_once_more_after_it_was_renewed() {
        let (mut retries, provider) = (retries(), provider(""));
        assert_eq!(retries.next(&refused(401, None), &provider, false, Duration::ZERO, 0.0), Next::Renew);
        assert_eq!(retries.next(&refused(401, None), &provider, false, Duration::ZERO, 0.0), Next::Fail);
    }

    #[test]
    fn what_repeats_itself_word_for_word_is_final() {
        let (mut retries, provider) = (retries(), provider(""));
        let next = |retries: &mut Retries, status| {
            retries.next(&refused(status, None), &provider, false, Duration::ZERO, 0.0) != Next::Fail
        };
        assert!(next(&mut retries, 500));
        assert!(!next(&mut retries, 500));
        assert!(next(&mut retries, 503));
        assert!(next(&mut retries, 503));
        for status in [400, 404, 413, 422, 501, 301] {
            assert!(!next(&mut super::tests::retries(), status), "{status}");
        }
    }
}
