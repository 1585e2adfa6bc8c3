//! Who may do what: the scopes of a connection.
//!
//! Each method of the table needs one scope, and params that widen what a thread may do need [`Scope::Admin`] as well.
//! No scope includes another one.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One right of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// List and read, and be told what happens.
    Observe,
    /// Start and change threads and turns, and answer approvals.
    Converse,
    /// Read, write, search and watch the files of the machine.
    Files,
    /// Everything else: commands, configuration, pairing, and whatever widens what a thread may do.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Observe, Self::Converse, Self::Files, Self::Admin];

    /// Its name on the wire, in settings and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Converse => "converse",
            Self::Files => "files",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope `{0}`; the scopes are observe, converse, files and admin")]
pub struct UnknownScope(pub String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|scope| scope.name() == text).ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// The scopes of a connection. On the wire and in settings a list of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Scope>", into = "Vec<Scope>")]
pub struct Scopes(u8);

impl Scopes {
    /// Every right there is.
    pub const ALL: Self = Self(0b1111);
    /// No right but to say hello.
    pub const NONE: Self = Self(0);

    /// [`Self::ALL`], for serde.
    pub fn all() -> Self {
        Self::ALL
    }

    /// Whether `scope` is among them.
    pub fn include(self, scope: Scope) -> bool {
        self.0 & Self::bit(scope) != 0
    }

    /// Those that are among `others`, too.
    pub fn common(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// These, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.include(*scope))
    }

    /// Reads names with commas between them.
    ///
    /// # Errors
    /// A name is none of a scope.
    pub fn from_list(text: &str) -> Result<Self, UnknownScope> {
        text.split(',').map(|name| name.trim().parse()).collect()
    }

    /// Reads the claim `scope` of a token (RFC 8693 section 4.2): names with spaces between them. Names that mean
    /// something to other services are left out.
    pub fn from_claim(text: &str) -> Self {
        text.split(' ').filter_map(|name| name.parse::<Scope>().ok()).collect()
    }

    const fn bit(scope: Scope) -> u8 {
        1 << scope as u8
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::NONE, |all, scope| Self(all.0 | Self::bit(scope)))
    }
}

impl From<Vec<Scope>> for Scopes {
    fn from(scopes: Vec<Scope>) -> Self {
        scopes.into_iter().collect()
    }
}

impl From<Scopes> for Vec<Scope> {
    fn from(scopes: Scopes) -> Self {
        scopes.iter().collect()
    }
}

/// As people read them: `observe, converse`, or `none`.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Scope::name).collect();
        f.write_str(if names.is_empty() { "none" } else { "" })?;
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_scope_includes_another() {
        for scope in Scope::ALL {
            let alone = Scopes::from_iter([scope]);
            assert_eq!(alone.iter().collect::<Vec<_>>(), [scope]);
            assert!(Scopes::ALL.include(scope) && !Scopes::NONE.include(scope));
            assert_eq!(scope.name().parse(), Ok(scope));
        }
        assert_eq!(Scopes::from_iter(Scope::ALL), Scopes::ALL);
    }

    #[test]
    fn lists_are_read_strictly_and_claims_are_not() {
        let two = Scopes::from_iter([Scope::Observe, Scope::Files]);
        assert_eq!(Scopes::from_list("files, observe"), Ok(two));
        for wrong in ["", "observe,", "observe,obey", "Observe", "all"] {
            assert!(Scopes::from_list(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(Scopes::from_claim("openid files observe ADMIN"), two);
        assert_eq!(Scopes::from_claim(""), Scopes::NONE);
        assert_eq!((two.to_string(), Scopes::NONE.to_string()), ("observe, files".to_owned(), "none".to_owned()));
    }

    #[test]
    fn json_is_a_list_of_names() {
        assert_eq!(serde_json::to_string(&Scopes::ALL).unwrap(), r#"["observe","converse","files","admin"]"#);
        assert_eq!(serde_json::from_str::<Scopes>(r#"["admin"]"#).unwrap(), Scopes::from_iter([Scope::Admin]));
        assert!(serde_json::from_str::<Scopes>(r#"["root"]"#).is_err());
    }
}
