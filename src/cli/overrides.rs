//! `-c key=value`, the reference program's way to override one value of a configuration file.

use std::{fmt, str::FromStr};

use app_server_actors::catalog::split_assignment;

/// Prefix of keys that name a setting of this server instead of a key of config.toml.
const OWN_PREFIX: &str = "app_server.";

/// The variable that overrides values as `-c` does, one on each line. The command line overrides it.
pub const VARIABLE: &str = "CODEX_APP_SERVER_CONFIG";

/// One `-c key=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Dotted key; never empty.
    pub key: String,
    /// TOML, or else a plain string, so that `-c model=o3` needs no quotes.
    pub value: String,
}

impl Override {
    /// The overrides in the value of [`VARIABLE`]. Blank lines, and lines that begin with `#`, say nothing.
    ///
    /// # Errors
    /// A line is no assignment.
    pub fn lines(text: &str) -> Result<Vec<Self>, String> {
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::parse).collect()
    }

    /// The override behind `--enable` and `--disable`.
    pub fn of_feature(feature: &str, value: &str) -> Self {
        Self { key: format!("features.{feature}"), value: value.to_owned() }
    }

    /// This override without the prefix, if it names a setting of this server.
    pub fn of_setting(&self) -> Option<Self> {
        let key = self.key.strip_prefix(OWN_PREFIX)?;
        Some(Self { key: key.to_owned(), value: self.value.clone() })
    }

    /// The value as TOML.
    pub fn toml_value(&self) -> toml::Value {
        self.value.parse().unwrap_or_else(|_| toml::Value::String(self.value.clone()))
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) =
            split_assignment(text).ok_or_else(|| format!("expected KEY=VALUE, found no `=` in `{text}`"))?;
        if key.is_empty() {
            return Err(format!("expected KEY=VALUE, found no key in `{text}`"));
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::*;

    #[test]
    fn splits_at_the_first_equals_sign_outside_quotes() {
        let it: Override = "p.\"a=b\".c=1".parse().unwrap();
        assert_eq!((it.key.as_str(), it.value.as_str()), ("p.\"a=b\".c", "1"));
        let it: Override = " a.b = x=y ".parse().unwrap();
        assert_eq!((it.key.as_str(), it.value.as_str()), ("a.b", "x=y"));
    }

    #[test]
    fn refuses_what_has_no_key_or_no_value() {
        assert!("model".parse::<Override>().unwrap_err().contains("`model`"));
        assert!("=o3".parse::<Override>().is_err());
    }

    #[test]
    fn a_value_is_toml_or_means_itself() {
        let value = |text: &str| text.parse::<Override>().unwrap().toml_value();
        assert_eq!(value("a=3"), Value::Integer(3));
        assert_eq!(value("a=true"), Value::Boolean(true));
        assert_eq!(value("a=\"o3\""), Value::String("o3".into()));
        assert_eq!(value("a=o3"), Value::String("o3".into()));
        assert_eq!(value("a=1\nb = 2"), Value::String("1\nb = 2".into()));
    }
}
