//! Spans in the JSON of OTLP (opentelemetry-proto, `trace/v1`).

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Span, TURN};

/// A span that waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept(Value);

impl Kept {
    /// The span `own` of a turn, which ended at `end` after `nanoseconds`; both since 1970. `None` for a turn without a UUID.
    pub fn of(span: &Span<'_>, own: u64, end: u128, nanoseconds: u128) -> Option<Self> {
        let turn = Uuid::parse_str(span.turn_id).ok()?;
        // The latter half of a UUID is random.
        let of_turn = turn.as_u128() as u64;
        let attributes =
            span.attributes.iter().map(|(key, value)| json!({"key": key, "value": {"stringValue": value}}));
        let mut kept = json!({
            "traceId": turn.simple().to_string(),
            "name": span.name,
            "kind": 1,
            "startTimeUnixNano": end.saturating_sub(nanoseconds).to_string(),
            "endTimeUnixNano": end.to_string(),
            "attributes": attributes.collect::<Value>(),
            "status": if span.failed { json!({"code": 2}) } else { json!({}) },
        });
        if span.name == TURN {
            kept["spanId"] = format!("{of_turn:016x}").into();
        } else {
            kept["spanId"] = format!("{own:016x}").into();
            kept["parentSpanId"] = format!("{of_turn:016x}").into();
        }
        Some(Self(kept))
    }
}

/// The header `traceparent` (W3C Trace Context) of a part of a turn; `None` for a turn without a UUID.
pub fn context(turn_id: &str) -> Option<String> {
    let turn = Uuid::parse_str(turn_id).ok()?;
    let of_turn = turn.as_u128() as u64;
    Some(format!("00-{}-{of_turn:016x}-01", turn.simple()))
}

/// The body of a request.
pub fn body(spans: Vec<Kept>) -> String {
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let version = env!("CARGO_PKG_VERSION");
    let resource = [attribute("service.name", "codex-app-server"), attribute("service.version", version)];
    let spans: Vec<Value> = spans.into_iter().map(|Kept(span)| span).collect();
    let scope = json!({"scope": {"name": "codex-app-server", "version": version}, "spans": spans});
    json!({"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [scope]}]}).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_call_is_a_part_of_its_turn() {
        let turn_id = "01a22a65-105b-75ea-82a3-dd53ffea46d6";
        let span =
            |name, failed| Span { turn_id, name, since: Instant::now(), failed, attributes: &[("provider", "p")] };
        let turn = Kept::of(&span(TURN, false), 1, 5_000, 2_000).unwrap();
        let call = Kept::of(&span("model", true), 0xabc, 4_000, 1_000).unwrap();
        let body: Value = serde_json::from_str(&body(vec![turn, call])).unwrap();
        let spans = &body["resourceSpans"][0]["scopeSpans"][0]["spans"];
        assert_eq!(spans[0]["traceId"], "01a22a65105b75ea82a3dd53ffea46d6");
        assert_eq!((&spans[0]["spanId"], spans[0].get("parentSpanId")), (&json!("82a3dd53ffea46d6"), None));
        assert_eq!((&spans[0]["startTimeUnixNano"], &spans[0]["endTimeUnixNano"]), (&json!("3000"), &json!("5000")));
        assert_eq!(spans[1]["traceId"], spans[0]["traceId"]);
        assert_eq!((&spans[1]["spanId"], &spans[1]["parentSpanId"]), (&json!("0000000000000abc"), &spans[0]["spanId"]));
        assert_eq!((&spans[0]["status"], &spans[1]["status"]["code"]), (&json!({}), &json!(2)));
        assert_eq!(context(turn_id).unwrap(), "00-01a22a65105b75ea82a3dd53ffea46d6-82a3dd53ffea46d6-01");
        assert_eq!(context("none"), None);
        assert_eq!(Kept::of(&Span { turn_id: "none", ..span(TURN, false) }, 1, 1, 1), None);
    }
}
