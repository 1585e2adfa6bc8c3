//! Formats a log record as a JSON object on one line, with the keys of the reference program's JSON log.

use std::io::{self, Write};

use app_server_actors::{clock::Clock, times};
use env_logger::fmt::Formatter;
use log::{
    Record,
    kv::{self, Key, Value, VisitSource},
};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::terminal::shown_json;

#[derive(Serialize)]
struct Line<'a> {
    timestamp: &'a str,
    level: &'a str,
    target: &'a str,
    fields: Map<String, Json>,
}

/// Writes `record` for `env_logger`.
pub fn write(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let timestamp = out.timestamp_micros().to_string();
    write_line(out, &timestamp, record)
}

/// A line that is no log record.
pub fn line(level: log::Level, message: &str) -> String {
    let timestamp = times::show(Clock::system().unix_ms());
    let fields = Map::from_iter([("message".to_owned(), message.trim_end().into())]);
    let line = Line { timestamp: &timestamp, level: level.as_str(), target: "codex_app_server", fields };
    // It can always be encoded.
    let json = serde_json::to_string(&line).unwrap_or_default();
    format!("{}\n", shown_json(&json))
}

fn write_line(out: &mut impl Write, timestamp: &str, record: &Record<'_>) -> io::Result<()> {
    let mut fields = Fields(Map::new());
    record.key_values().visit(&mut fields).map_err(io::Error::other)?;
    fields.0.insert("message".to_owned(), record.args().to_string().into());
    let line = Line { timestamp, level: record.level().as_str(), target: record.target(), fields: fields.0 };
    let json = serde_json::to_string(&line)?;
    writeln!(out, "{}", shown_json(&json))
}

struct Fields(Map<String, Json>);

impl<'kv> VisitSource<'kv> for Fields {
    fn visit_pair(&mut self, key: Key<'kv>, value: Value<'kv>) -> Result<(), kv::Error> {
        self.0.insert(key.to_string(), json(&value));
        Ok(())
    }
}

/// Numbers and booleans keep their types, so that log stores can compare them; other values become text.
fn json(value: &Value<'_>) -> Json {
    if let Some(number) = value.to_u64() {
        number.into()
    } else if let Some(number) = value.to_i64() {
        number.into()
    } else if let Some(number) = value.to_f64() {
        number.into()
    } else if let Some(truth) = value.to_bool() {
        truth.into()
    } else {
        value.to_string().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_object_on_one_line() {
        let pairs: &[(&str, Value<'_>)] =
            &[("connection", Value::from(7_u64)), ("late", Value::from(true)), ("peer", Value::from("a\nb\u{9b}"))];
        let mut out = Vec::new();
        let record = Record::builder()
            .level(log::Level::Warn)
            .target("listen")
            .args(format_args!("two\nlines \"quoted\""))
            .key_values(&pairs)
            .build();
        write_line(&mut out, "2026-01-02T03:04:05.000006Z", &record).unwrap();

        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(text.contains("a\\nb\\u009b"), "{text}");
        let line: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(
            line,
            serde_json::json!({
                "timestamp": "2026-01-02T03:04:05.000006Z",
                "level": "WARN",
                "target": "listen",
                "fields": {"message": "two\nlines \"quoted\"", "connection": 7, "late": true, "peer": "a\nb\u{9b}"},
            })
        );
    }
}
