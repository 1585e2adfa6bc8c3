//! Formats a log record as text.

use std::io::{self, Write as _};

use env_logger::{
    TimestampPrecision,
    fmt::{ConfigurableFormat, Formatter},
};
use log::{
    Record,
    kv::{self, Key, Source, Value, VisitSource},
};

use super::journal;
use crate::terminal::shown;

/// Writes `record` for `env_logger`. Continuation lines are indented, so that a message cannot imitate another record.
pub fn write(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let mut format = ConfigurableFormat::default();
    format.timestamp(Some(TimestampPrecision::Millis).filter(|_| !journal::is_read())).key_values(write_pairs);
    write!(out, "{}", journal::prefix(record.level()))?;
    let message = record.args().to_string();
    let message = shown(&message);
    format.format(out, &record.to_builder().args(format_args!("{message}")).build())
}

fn write_pairs(out: &mut Formatter, pairs: &dyn Source) -> io::Result<()> {
    pairs.visit(&mut Pairs(out)).map_err(io::Error::other)
}

struct Pairs<'a>(&'a mut Formatter);

impl<'kvs> VisitSource<'kvs> for Pairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        Ok(write!(self.0, " {}={}", shown(key.as_str()), shown(&value.to_string()))?)
    }
}
