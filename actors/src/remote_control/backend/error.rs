//! Errors of requests, with the reference program's texts (spec: remote control 4.7).

use std::fmt::Display;

use url::Url;

use super::super::failure::{Failure, Kind};
use super::call::Answer;
use crate::http::HttpResponse;
use crate::protocol::body::preview;

/// The endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // As the methods of `Backend`.
pub enum What {
    Enroll,
    Refresh,
    Pair,
    PairStatus,
    Clients,
    Revoke,
    Tokens,
}

impl What {
    /// The name in error texts.
    pub fn label(self) -> &'static str {
        match self {
            Self::Enroll => "remote control server enrollment",
            Self::Refresh => "remote control server refresh",
            Self::Pair => "remote control pairing",
            Self::PairStatus => "remote control pairing status",
            Self::Clients => "remote control client list",
            Self::Revoke => "remote control client revoke",
            Self::Tokens => "the refresh of account tokens",
        }
    }

    /// The failure of a request without an answer in time, and its cause, which the reference program leaves out.
    pub fn unreachable(self, url: &Url, cause: impl Display) -> String {
        let sending = format!("error sending request for url ({url}): {cause}");
        match self {
            Self::Enroll => format!("failed to enroll remote control server at `{url}`: {sending}"),
            Self::Refresh => format!("failed to refresh remote control server at `{url}`: {sending}"),
            Self::Clients => format!("failed to list remote control clients: {sending}"),
            Self::Revoke => format!("failed to revoke remote control client: {sending}"),
            Self::Pair | Self::PairStatus | Self::Tokens => sending,
        }
    }

    /// Whether a `Retry-After` of this answer applies to all requests (spec: remote control 4.8).
    pub fn honours_retry_after(self, status: u16) -> bool {
        match self {
            Self::Enroll | Self::Refresh => status == 429 || status >= 500,
            Self::Pair | Self::PairStatus => matches!(status, 429 | 503),
            Self::Clients | Self::Revoke | Self::Tokens => false,
        }
    }

    /// Classifies a refusal.
    pub fn kind(self, status: u16) -> Kind {
        match (self, status) {
            (_, 401 | 403) => Kind::Permission,
            (Self::PairStatus, 404 | 410) => Kind::InvalidInput,
            (_, 404) => Kind::NotFound,
            (Self::Clients | Self::Revoke, 400) => Kind::InvalidInput,
            _ => Kind::Other,
        }
    }
}

impl Answer {
    /// The failure for an unsuccessful answer.
    pub fn refusal(&self) -> Failure {
        let (what, url, status) = (self.what, &self.url, self.response.status.as_u16());
        let text = format!("{} failed at `{url}`: {}", what.label(), self.circumstances());
        let transient = status == 429 || status >= 500;
        Failure { status: Some(status), transient, ..Failure::new(what.kind(status), text) }
    }

    /// The failure for a successful answer with an invalid body.
    pub fn unreadable(&self, reason: impl Display) -> Failure {
        let (what, url) = (self.what.label(), &self.url);
        Failure::other(format!("failed to parse {what} response from `{url}`: {}, {reason}", self.circumstances()))
    }

    fn circumstances(&self) -> String {
        let HttpResponse { status, body, .. } = &self.response;
        let header = |name| self.response.header(name);
        let request_id = header("x-request-id").or_else(|| header("x-oai-request-id"));
        circumstances(status.as_u16(), request_id, header("cf-ray"), &preview(body))
    }
}

/// Details for the backend's operators: `HTTP 500 Internal Server Error, request-id: …, cf-ray: …, body: …`.
pub fn circumstances(status: u16, request_id: Option<&str>, cf_ray: Option<&str>, body: &str) -> String {
    let status = awc::http::StatusCode::from_u16(status).map_or_else(|_| status.to_string(), |it| it.to_string());
    let or_none = |header: Option<&str>| header.unwrap_or("<none>").to_owned();
    format!("HTTP {status}, request-id: {}, cf-ray: {}, body: {body}", or_none(request_id), or_none(cf_ray))
}

#[cfg(test)]
mod tests {
    use awc::http::StatusCode;
    use awc::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn answer(what: What, status: u16) -> Answer {
        Answer {
            what,
            url: Url::parse("http://localhost/x").unwrap(),
            response: HttpResponse {
                status: StatusCode::from_u16(status).unwrap(),
                headers: [(HeaderName::from_static("x-request-id"), HeaderValue::from_static("req-1"))]
                    .into_iter()
                    .collect(),
                body: br#"{"pairing_code":"ABCD"}"#.as_slice().into(),
            },
        }
    }

    #[test]
    fn a_refusal_says_everything_but_secrets() {
        assert_eq!(
            answer(What::Enroll, 401).refusal().text,
            "remote control server enrollment failed at `http://localhost/x`: HTTP 401 Unauthorized, request-id: req-1, \
             cf-ray: <none>, body: {\"pairing_code\":\"<redacted>\"}"
        );
        assert_eq!(
            answer(What::PairStatus, 200).unreadable("decode error: missing").text,
            "failed to parse remote control pairing status response from `http://localhost/x`: HTTP 200 OK, request-id: \
             req-1, cf-ray: <none>, body: {\"pairing_code\":\"<redacted>\"}, decode error: missing"
        );
    }

    #[test]
    fn refusals_are_sorted_by_endpoint_and_status() {
        use Kind::{InvalidInput, NotFound, Other, Permission};
        let kinds = |what: What| [400, 401, 403, 404, 410, 429, 500].map(|status| what.kind(status));
        let of_host = [Other, Permission, Permission, NotFound, Other, Other, Other];
        for what in [What::Enroll, What::Refresh, What::Pair] {
            assert_eq!(kinds(what), of_host);
        }
        let of_status = [Other, Permission, Permission, InvalidInput, InvalidInput, Other, Other];
        assert_eq!(kinds(What::PairStatus), of_status);
        for what in [What::Clients, What::Revoke] {
            assert_eq!(kinds(what), [InvalidInput, Permission, Permission, NotFound, Other, Other, Other]);
        }
    }

    #[test]
    fn only_some_answers_may_hold_us_back() {
        assert!(What::Enroll.honours_retry_after(500) && What::Refresh.honours_retry_after(429));
        assert!(What::Pair.honours_retry_after(503) && !What::Pair.honours_retry_after(500));
        assert!(!What::Clients.honours_retry_after(429) && !What::Enroll.honours_retry_after(401));
    }
}
